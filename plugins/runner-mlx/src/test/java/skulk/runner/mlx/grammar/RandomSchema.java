package skulk.runner.mlx.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import skulk.api.json.JsonObject;

/** Schemas made of all supported keywords. */
final class RandomSchema {
    private static final List<String> FORMATS =
            List.of("date", "time", "date-time", "email", "hostname", "ipv4", "uuid");
    private static final List<String> PATTERNS =
            List.of("^[A-Z]{2}\\d{1,4}$", "x.y", "^(a|bc)+$", "\\d$", "^[^\"]*\"$");

    private final Random random;

    RandomSchema(Random random) {
        this.random = random;
    }

    JsonObject schema(int depth) {
        return switch (random.nextInt(depth > 0 ? 11 : 7)) {
            case 0 -> JsonObject.of("type", random.nextBoolean() ? "boolean" : "null");
            case 1 -> number("integer");
            case 2 -> number("number");
            case 3 -> text();
            case 4 -> JsonObject.of("enum", List.of("a", "b\"c", 7, true));
            case 5 -> JsonObject.of("const", "é\n");
            case 6 -> JsonObject.of("type", List.of("string", "null", "integer"));
            case 7 -> array(depth);
            case 8 -> JsonObject.of("anyOf", List.of(schema(depth - 1), schema(depth - 1)));
            default -> object(depth);
        };
    }

    private JsonObject number(String type) {
        JsonObject.Builder schema = JsonObject.builder().put("type", type);
        double low = random.nextInt(2000) - 1000 + (type.equals("number") ? random.nextInt(4) / 4.0 : 0);
        if (random.nextBoolean()) {
            schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
        }
        if (random.nextBoolean()) {
            schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + 2 + random.nextInt(3000));
        }
        return schema.build();
    }

    private JsonObject text() {
        JsonObject.Builder schema = JsonObject.builder().put("type", "string");
        switch (random.nextInt(4)) {
            case 0 -> schema.put("format", FORMATS.get(random.nextInt(FORMATS.size())));
            case 1 -> schema.put("pattern", PATTERNS.get(random.nextInt(PATTERNS.size())));
            case 2 -> schema.put("minLength", random.nextInt(3)).put("maxLength", 3 + random.nextInt(10));
            default -> {}
        }
        return schema.build();
    }

    private JsonObject array(int depth) {
        JsonObject.Builder schema = JsonObject.builder().put("type", "array").put("items", schema(depth - 1));
        int min = random.nextInt(3);
        schema.put("minItems", min);
        if (random.nextBoolean()) {
            schema.put("maxItems", min + random.nextInt(3));
        }
        if (random.nextInt(4) == 0) {
            schema.put("prefixItems", List.of(schema(0)));
        }
        return schema.build();
    }

    private JsonObject object(int depth) {
        JsonObject.Builder properties = JsonObject.builder();
        List<String> required = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            String name = List.of("id", "na me", "ünï", "q\"x", "id2").get(i);
            properties.put(name, schema(depth - 1));
            if (random.nextBoolean()) {
                required.add(name);
            }
        }
        JsonObject.Builder schema = JsonObject.builder()
                .put("type", "object")
                .put("properties", properties.build())
                .put("required", required);
        if (random.nextBoolean()) {
            schema.put("additionalProperties", random.nextBoolean());
        }
        return schema.build();
    }
}
