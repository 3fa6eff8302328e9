package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * The tools of a request.
 *
 * @param legacy whether they came as {@code functions}, so that the answer is a {@code function_call}
 */
record ToolFields(List<Tool> tools, ToolChoice choice, boolean parallel, boolean legacy) {
    private static final int MOST_TOOLS = 1_000;

    /** Chat completions: tools nest their function; {@code functions} is the older form. */
    static ToolFields readChat(DialectBody body) {
        Fields fields = body.fields();
        List<Tool> tools = new ArrayList<>();
        List<Json> raw = raw(fields, "tools");
        List<Fields> items = fields.objects("tools");
        for (int i = 0; i < items.size(); i++) {
            Fields item = items.get(i);
            if (isFunction(body, item, raw.get(i))) {
                item.require("function");
                item.object("function").ifPresent(f -> tools.add(function(f)));
            }
        }
        Optional<ToolChoice> choice = choice(body, "tool_choice", true);
        List<Tool> functions =
                fields.objects("functions").stream().map(ToolFields::function).toList();
        Optional<ToolChoice> functionChoice = choice(body, "function_call", false);
        if (!functions.isEmpty() && !tools.isEmpty()) {
            body.refuse("'functions' is the older form of 'tools': send one of them");
        }
        boolean legacy = !functions.isEmpty();
        boolean parallel = fields.bool("parallel_tool_calls").orElse(true) && !legacy;
        return checked(body, legacy ? functions : tools, legacy ? functionChoice : choice, parallel, legacy);
    }

    /** Responses: a tool is its function. */
    static ToolFields readResponses(DialectBody body) {
        Fields fields = body.fields();
        List<Tool> tools = new ArrayList<>();
        List<Json> raw = raw(fields, "tools");
        List<Fields> items = fields.objects("tools");
        for (int i = 0; i < items.size(); i++) {
            if (isFunction(body, items.get(i), raw.get(i))) {
                tools.add(function(items.get(i)));
            }
        }
        Optional<ToolChoice> choice = choice(body, "tool_choice", false);
        boolean parallel = fields.bool("parallel_tool_calls").orElse(true);
        return checked(body, tools, choice, parallel, false);
    }

    private static List<Json> raw(Fields fields, String name) {
        return fields
                .any(name)
                .map(value -> value instanceof JsonArray array ? array.items() : List.<Json>of())
                .orElse(List.of())
                .stream()
                .filter(JsonObject.class::isInstance)
                .toList();
    }

    private static ToolFields checked(
            DialectBody body, List<Tool> tools, Optional<ToolChoice> choice, boolean parallel, boolean legacy) {
        if (tools.size() > MOST_TOOLS) {
            body.refuse("at most %d tools are supported, got %d".formatted(MOST_TOOLS, tools.size()));
        }
        ToolChoice chosen = choice.orElse(new ToolChoice.Auto());
        if (chosen instanceof ToolChoice.Required && tools.isEmpty()) {
            body.refuse("'tool_choice' requires a tool call but there are no tools");
        }
        if (chosen instanceof ToolChoice.Named(String name)
                && tools.stream().noneMatch(t -> t.name().equals(name))) {
            body.refuse("'tool_choice' names '%s', which is not among the tools".formatted(name));
        }
        return new ToolFields(tools, chosen, parallel, legacy);
    }

    private static boolean isFunction(DialectBody body, Fields tool, Json raw) {
        String type = tool.requiredString("type");
        if (type.equals("function")) {
            return true;
        }
        DialectBody.skip(tool, raw);
        if (!type.isEmpty()) {
            body.refuse("a tool of type '%s' is not supported: only 'function' is".formatted(type));
        }
        return false;
    }

    private static Tool function(Fields function) {
        String name = function.requiredString("name");
        if (name.length() > 256) {
            function.fail("name", "string_too_long", "A tool's name should have at most 256 characters");
        }
        Json parameters = function.any("parameters").orElse(JsonObject.EMPTY);
        if (!(parameters instanceof JsonObject)) {
            function.fail("parameters", "dict_type", "Input should be a valid dictionary");
        }
        return new Tool(
                name,
                function.string("description").orElse(""),
                parameters,
                function.bool("strict").orElse(false));
    }

    /** @param nested whether a named choice carries the name inside {@code function} */
    private static Optional<ToolChoice> choice(DialectBody body, String name, boolean nested) {
        Fields fields = body.fields();
        Optional<Json> value = fields.any(name);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get() instanceof JsonObject raw) {
            Fields object = fields.object(name).orElseThrow();
            String type = object.string("type").orElse("function");
            if (!type.equals("function")) {
                DialectBody.skip(object, raw);
                body.refuse("'%s' of type '%s' is not supported".formatted(name, type));
                return Optional.empty();
            }
            if (nested) {
                object.require("function");
                return object.object("function").map(f -> new ToolChoice.Named(f.requiredString("name")));
            }
            return Optional.of(new ToolChoice.Named(object.requiredString("name")));
        }
        return switch (value.get()) {
            case JsonString(String word) when word.equals("auto") -> Optional.of(new ToolChoice.Auto());
            case JsonString(String word) when word.equals("none") -> Optional.of(new ToolChoice.None());
            case JsonString(String word) when word.equals("required") -> Optional.of(new ToolChoice.Required());
            default -> {
                fields.fail(name, "enum", "Input should be 'none', 'auto', 'required' or an object naming a function");
                yield Optional.empty();
            }
        };
    }
}
