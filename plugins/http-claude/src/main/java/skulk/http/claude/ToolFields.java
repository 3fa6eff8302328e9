package skulk.http.claude;

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

/** The tools of a request. */
record ToolFields(List<Tool> tools, ToolChoice choice, boolean parallel) {
    private record Choice(ToolChoice choice, boolean parallel) {}

    static ToolFields read(DialectBody body) {
        Fields fields = body.fields();
        List<Json> raw = fields
                .any("tools")
                .map(v -> v instanceof JsonArray a ? a.items() : List.<Json>of())
                .orElse(List.of())
                .stream()
                .filter(JsonObject.class::isInstance)
                .toList();
        List<Fields> items = fields.objects("tools");
        List<Tool> tools = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            tool(body, items.get(i), raw.get(i)).ifPresent(tools::add);
        }
        Choice choice = choice(body);
        if (choice.choice() instanceof ToolChoice.Required && tools.isEmpty()) {
            body.refuse("'tool_choice' requires a tool call but there are no tools");
        }
        if (choice.choice() instanceof ToolChoice.Named(String name)
                && tools.stream().noneMatch(t -> t.name().equals(name))) {
            body.refuse("'tool_choice' names '%s', which is not among the tools".formatted(name));
        }
        return new ToolFields(tools, choice.choice(), choice.parallel());
    }

    private static Optional<Tool> tool(DialectBody body, Fields tool, Json raw) {
        String type = tool.string("type").orElse("custom");
        if (!type.equals("custom")) {
            DialectBody.skip(tool, raw);
            body.refuse("a tool of type '%s' is not supported: only custom tools are".formatted(type));
            return Optional.empty();
        }
        tool.accept("cache_control");
        tool.bool("eager_input_streaming"); // arguments are always streamed as they come
        if (tool.bool("defer_loading").orElse(false)) {
            body.refuse("'defer_loading' of a tool is not supported");
        }
        if (tool.any("input_examples").filter(v -> !DialectBody.isEmpty(v)).isPresent()) {
            body.refuse("'input_examples' of a tool is not supported: describe them");
        }
        if (tool.any("allowed_callers")
                .filter(v -> !v.equals(JsonArray.of("direct")))
                .isPresent()) {
            body.refuse("'allowed_callers' of a tool is not supported: tools are called directly");
        }
        tool.require("input_schema");
        Json schema = tool.any("input_schema").orElse(JsonObject.EMPTY);
        if (!(schema instanceof JsonObject)) {
            tool.fail("input_schema", "dict_type", "Input should be a valid dictionary");
        }
        return Optional.of(new Tool(
                tool.requiredString("name"),
                tool.string("description").orElse(""),
                schema,
                tool.bool("strict").orElse(false)));
    }

    private static Choice choice(DialectBody body) {
        return body.fields()
                .object("tool_choice")
                .map(choice -> {
                    choice.require("type");
                    String type = choice.oneOf("type", List.of("auto", "any", "tool", "none"))
                            .orElse("auto");
                    boolean parallel = !choice.bool("disable_parallel_tool_use").orElse(false);
                    ToolChoice chosen =
                            switch (type) {
                                case "any" -> new ToolChoice.Required();
                                case "none" -> new ToolChoice.None();
                                case "tool" -> new ToolChoice.Named(choice.requiredString("name"));
                                default -> new ToolChoice.Auto();
                            };
                    return new Choice(chosen, parallel);
                })
                .orElse(new Choice(new ToolChoice.Auto(), true));
    }
}
