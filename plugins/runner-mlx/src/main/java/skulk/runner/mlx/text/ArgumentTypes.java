package skulk.runner.mlx.text;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** What the schemas of the offered tools say about arguments, for formats that write values without types. */
final class ArgumentTypes {
    private final Map<String, JsonObject> properties = new HashMap<>();
    private final Set<String> names;

    ArgumentTypes(List<Tool> tools) {
        names = Set.copyOf(tools.stream().map(Tool::name).toList());
        for (Tool tool : tools) {
            if (tool.parameters() instanceof JsonObject schema
                    && schema.find("properties").orElse(Json.NULL) instanceof JsonObject map) {
                properties.put(tool.name(), map);
            }
        }
    }

    boolean known(String tool) {
        return names.contains(tool);
    }

    /** Whether an argument's text is the value itself: declared a string, or not declared at all. */
    boolean isText(String tool, String argument) {
        Optional<Json> schema = Optional.ofNullable(properties.get(tool)).flatMap(map -> map.find(argument));
        if (schema.isEmpty() || !(schema.get() instanceof JsonObject declared)) {
            return true;
        }
        return switch (declared.find("type").orElse(Json.NULL)) {
            case JsonString(String type) -> type.equals("string");
            case JsonArray types -> types.items().contains(new JsonString("string"));
            default ->
                declared.find("anyOf").isEmpty()
                        && declared.find("oneOf").isEmpty()
                        && declared.find("$ref").isEmpty();
        };
    }
}
