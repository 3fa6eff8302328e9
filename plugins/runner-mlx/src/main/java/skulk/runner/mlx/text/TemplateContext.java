package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * The variables that {@code apply_chat_template} hands to a template, made from a conversation.
 *
 * @param developer the role written for {@code developer}
 * @param objectArguments whether the arguments of tool calls are objects (the convention) or JSON text
 * @param nullContent whether missing content is None (the convention) or an empty string
 */
record TemplateContext(String developer, boolean objectArguments, boolean nullContent) {

    /** How published templates want it. */
    static TemplateContext conventional(String template) {
        return new TemplateContext(template.contains("developer") ? "developer" : "system", true, true);
    }

    /** The other spellings that some templates need, to be tried when this one fails; nearest first. */
    List<TemplateContext> fallbacks() {
        return List.of(
                new TemplateContext(developer, objectArguments, false),
                new TemplateContext(developer, false, nullContent),
                new TemplateContext(developer, false, false));
    }

    Map<String, Object> of(Conversation conversation, ReasoningWish wish, Map<String, String> specialTokens) {
        Map<String, Object> context = new HashMap<>(specialTokens);
        List<Object> messages = new ArrayList<>();
        conversation.messages().forEach(message -> messages.add(message(message)));
        context.put("messages", messages);
        boolean offered = !conversation.tools().isEmpty() && !(conversation.choice() instanceof ToolChoice.None);
        context.put(
                "tools",
                offered
                        ? conversation.tools().stream()
                                .map(TemplateContext::tool)
                                .toList()
                        : null);
        context.put("add_generation_prompt", true);
        wish.enabled().ifPresent(enabled -> thinking(context, enabled));
        wish.effort().ifPresent(effort -> {
            if (effort.equals("none")) {
                thinking(context, false);
            } else {
                context.put("reasoning_effort", effort);
            }
        });
        wish.budgetTokens().ifPresent(budget -> context.put("thinking_budget", budget));
        conversation.templateArguments().forEach((name, value) -> context.put(name, value.toJava()));
        return context;
    }

    /** Qwen and GLM ask for {@code enable_thinking}, DeepSeek and Granite for {@code thinking}. */
    private static void thinking(Map<String, Object> context, boolean enabled) {
        context.put("enable_thinking", enabled);
        context.put("thinking", enabled);
    }

    private Map<String, Object> message(Message message) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", role(message.role()));
        map.put("content", message.content().orElse(nullContent ? null : ""));
        message.reasoning().ifPresent(reasoning -> map.put("reasoning_content", reasoning));
        message.name().ifPresent(name -> map.put("name", name));
        if (!message.toolCalls().isEmpty()) {
            map.put("tool_calls", message.toolCalls().stream().map(this::call).toList());
        }
        message.toolCallId().ifPresent(id -> map.put("tool_call_id", id));
        return map;
    }

    private String role(String role) {
        return switch (role) {
            case "developer" -> developer;
            case "function" -> "tool";
            default -> role;
        };
    }

    private Map<String, Object> call(Message.ToolCall call) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put(
                "arguments",
                switch (call.arguments()) {
                    case JsonObject object when objectArguments -> object.toJava();
                    case JsonString(String text) -> text;
                    case skulk.api.json.Json other -> other.toString();
                });
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", call.id());
        map.put("type", "function");
        map.put("function", function);
        return map;
    }

    private static Map<String, Object> tool(Tool tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        function.put("description", tool.description());
        function.put("parameters", tool.parameters().toJava());
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("type", "function");
        map.put("function", function);
        return map;
    }
}
