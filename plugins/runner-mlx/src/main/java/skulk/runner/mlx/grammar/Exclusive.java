package skulk.runner.mlx.grammar;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Whether the alternatives of a {@code oneOf} cannot overlap: by type, or by a required property with a constant of its own. */
final class Exclusive {
    private Exclusive() {}

    static void check(List<JsonObject> alternatives, String where) {
        for (int i = 0; i < alternatives.size(); i++) {
            for (int j = i + 1; j < alternatives.size(); j++) {
                if (!disjoint(alternatives.get(i), alternatives.get(j))) {
                    throw SchemaKeywords.refuse(
                            where,
                            "'oneOf' with alternatives " + i + " and " + j
                                    + " that may both hold is not supported; use 'anyOf', or give each a required property with a 'const'");
                }
            }
        }
    }

    private static boolean disjoint(JsonObject a, JsonObject b) {
        Set<String> types = types(a);
        types.retainAll(types(b));
        if (types.isEmpty()) {
            return true;
        }
        if (values(a).isPresent() && values(b).isPresent()) {
            return values(a).get().stream().noneMatch(values(b).get()::contains);
        }
        JsonObject own = a.object("properties").orElse(JsonObject.EMPTY);
        for (Map.Entry<String, Json> property : own.members().entrySet()) {
            String name = property.getKey();
            Optional<JsonObject> other = b.object("properties").flatMap(p -> p.object(name));
            if (required(a, name)
                    && required(b, name)
                    && property.getValue() instanceof JsonObject mine
                    && other.isPresent()
                    && values(mine).isPresent()
                    && values(other.get()).isPresent()
                    && values(mine).get().stream().noneMatch(values(other.get()).get()::contains)) {
                return true;
            }
        }
        return false;
    }

    private static boolean required(JsonObject schema, String name) {
        return schema.array("required").orElseGet(JsonArray::of).items().contains(new JsonString(name));
    }

    private static Optional<List<Json>> values(JsonObject schema) {
        return schema.find("const").map(List::of).or(() -> schema.array("enum").map(JsonArray::items));
    }

    private static Set<String> types(JsonObject schema) {
        Set<String> found = new HashSet<>();
        Optional<List<Json>> values = values(schema);
        if (values.isPresent()) {
            values.get().forEach(v -> found.add(v.kind()));
            return found;
        }
        List<String> named = SchemaKeywords.types(schema, SchemaKeywords.constraints(schema, "#"), "#");
        if (named.isEmpty()) {
            found.addAll(List.of("object", "array", "string", "number", "boolean", "null"));
        }
        named.forEach(type -> found.add(type.equals("integer") ? "number" : type));
        return found;
    }
}
