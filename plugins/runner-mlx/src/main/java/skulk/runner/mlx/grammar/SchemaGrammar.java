package skulk.runner.mlx.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/**
 * Turns a JSON schema into a grammar whose texts all validate against it. Where a schema leaves something open that nobody means (properties it does not name), the
 * grammar leaves it out; what it cannot enforce it refuses, naming keyword and place. Properties come in the order the schema has them. One use each.
 */
final class SchemaGrammar {
    private final JsonObject root;
    private final JsonGrammar json;
    private final GrammarBuilder builder;
    private final ObjectGrammar objects;

    private SchemaGrammar(JsonObject root, GrammarBuilder builder) {
        this.root = root;
        this.builder = builder;
        this.json = new JsonGrammar(builder);
        this.objects = new ObjectGrammar(json, this::value);
    }

    /** @throws skulk.api.problem.SkulkException (user error) naming what cannot be enforced */
    static Grammar compile(Json schema) {
        GrammarBuilder builder = new GrammarBuilder();
        int start = builder.state();
        builder.end(add(builder, start, schema));
        return finished(builder, start);
    }

    /** Any JSON object. */
    static Grammar anyObject() {
        GrammarBuilder builder = new GrammarBuilder();
        int start = builder.state();
        builder.end(new JsonGrammar(builder).anyObject(start));
        return builder.build(start);
    }

    /** Adds values of a schema of its own to a larger grammar. */
    static int add(GrammarBuilder builder, int from, Json schema) {
        JsonObject root = schema instanceof JsonObject object ? object : JsonObject.EMPTY;
        try {
            return new SchemaGrammar(root, builder).value(from, schema, "#");
        } catch (JsonException e) {
            throw SchemaKeywords.refuse("#", e.getMessage()); // a keyword whose value is of the wrong type
        }
    }

    static Grammar finished(GrammarBuilder builder, int start) {
        Grammar grammar = builder.build(start);
        refuseEmptyRecursion(grammar);
        if (grammar.distance()[start] >= GrammarBuilder.UNREACHABLE) {
            throw SchemaKeywords.refuse("#", "no finite value satisfies the schema");
        }
        return grammar;
    }

    private static void refuseEmptyRecursion(Grammar grammar) {
        Set<Integer> done = new HashSet<>();
        for (int state = 0; state < grammar.states(); state++) {
            visit(grammar, state, new HashSet<>(), done);
        }
    }

    private static void visit(Grammar grammar, int state, Set<Integer> open, Set<Integer> done) {
        if (done.contains(state)) {
            return;
        }
        if (!open.add(state)) {
            throw SchemaKeywords.refuse("#", "a $ref leads back to itself with nothing in between");
        }
        int[] calls = grammar.calls()[state];
        for (int i = 0; i < calls.length; i += 2) {
            visit(grammar, calls[i], open, done);
        }
        open.remove(state);
        done.add(state);
    }

    private int value(int from, Json schema, String where) {
        if (schema instanceof JsonBoolean(boolean allowed)) {
            if (!allowed) {
                throw SchemaKeywords.refuse(where, "the schema 'false' allows nothing");
            }
            return json.any(from);
        }
        if (!(schema instanceof JsonObject object)) {
            throw SchemaKeywords.refuse(where, "a schema must be an object or a boolean, not " + schema.kind());
        }
        Set<String> constraints = SchemaKeywords.constraints(object, where);
        if (constraints.contains("$ref")) {
            return reference(from, object, constraints, where);
        }
        if (constraints.contains("const")) {
            return json.literal(from, object.members().get("const"));
        }
        if (constraints.contains("enum")) {
            return enumeration(from, object, where);
        }
        for (String combination : List.of("allOf", "anyOf", "oneOf")) {
            if (constraints.contains(combination)) {
                return combined(from, object, combination, where);
            }
        }
        List<String> types = SchemaKeywords.types(object, constraints, where);
        if (types.isEmpty()) {
            return json.any(from);
        }
        List<IntUnaryOperator> ways = new ArrayList<>();
        for (String type : types) {
            // a number may be an integer: two ways to the same text are one too many
            if (!(type.equals("integer") && types.contains("number"))) {
                ways.add(state -> typed(state, type, object, where));
            }
        }
        return ways.size() == 1 ? ways.getFirst().applyAsInt(from) : builder.anyOf(from, ways);
    }

    private int reference(int from, JsonObject schema, Set<String> constraints, String where) {
        if (constraints.size() > 1) {
            throw SchemaKeywords.refuse(where, "keywords beside '$ref' are not supported");
        }
        String pointer = schema.string("$ref").orElse("");
        if (!pointer.startsWith("#")) {
            throw SchemaKeywords.refuse(where, "$ref '" + pointer + "' does not point into this schema");
        }
        Json target = resolve(pointer, where);
        return builder.call(from, json.rule(pointer, start -> value(start, target, pointer)));
    }

    private Json resolve(String pointer, String where) {
        Json at = root;
        for (String part : pointer.substring(1).split("/")) {
            if (part.isEmpty()) {
                continue;
            }
            String name = java.net.URLDecoder.decode(part, StandardCharsets.UTF_8)
                    .replace("~1", "/")
                    .replace("~0", "~");
            Optional<Json> next = Optional.empty();
            if (at instanceof JsonObject object) {
                next = object.find(name);
            } else if (at instanceof JsonArray array
                    && name.matches("\\d{1,6}")
                    && Integer.parseInt(name) < array.size()) {
                next = Optional.of(array.items().get(Integer.parseInt(name)));
            }
            at = next.orElseThrow(() -> SchemaKeywords.refuse(where, "$ref '" + pointer + "' points to nothing"));
        }
        return at;
    }

    private int enumeration(int from, JsonObject schema, String where) {
        List<Json> values = schema.array("enum").map(JsonArray::items).orElse(List.of());
        Set<String> constraints = SchemaKeywords.constraints(schema, where);
        List<String> types = SchemaKeywords.types(schema, constraints, where);
        List<IntUnaryOperator> ways = values.stream()
                .filter(value -> types.isEmpty() || types.stream().anyMatch(type -> isA(value, type)))
                .distinct()
                .<IntUnaryOperator>map(value -> state -> json.literal(state, value))
                .toList();
        if (ways.isEmpty()) {
            throw SchemaKeywords.refuse(where, "'enum' holds no value of the schema's type");
        }
        return builder.anyOf(from, ways);
    }

    private static boolean isA(Json value, String type) {
        return type.equals(value.kind()) || (type.equals("integer") && value instanceof JsonNumber n && n.isLong());
    }

    private int combined(int from, JsonObject schema, String combination, String where) {
        List<Json> parts = schema.array(combination).map(JsonArray::items).orElse(List.of());
        Map<String, Json> rest = new LinkedHashMap<>(schema.members());
        rest.remove(combination);
        JsonObject base = new JsonObject(new LinkedHashMap<>(rest));
        if (parts.isEmpty()) {
            throw SchemaKeywords.refuse(where, "'" + combination + "' is empty");
        }
        if (combination.equals("allOf")) {
            JsonObject all = base;
            for (Json part : parts) {
                all = SchemaKeywords.both(all, inlined(part, where), where);
            }
            return value(from, all, where);
        }
        boolean plain = SchemaKeywords.constraints(base, where).isEmpty();
        List<Json> alternatives = plain
                ? parts
                : parts.stream()
                        .<Json>map(p -> SchemaKeywords.both(base, inlined(p, where), where))
                        .toList();
        if (combination.equals("oneOf")) {
            Exclusive.check(alternatives.stream().map(a -> inlined(a, where)).toList(), where);
        }
        List<IntUnaryOperator> ways = new ArrayList<>();
        for (int i = 0; i < alternatives.size(); i++) {
            Json alternative = alternatives.get(i);
            String place = where + "/" + combination + "/" + i;
            ways.add(state -> value(state, alternative, place));
        }
        return builder.anyOf(from, ways);
    }

    /** A part as an object schema, a reference looked up. */
    private JsonObject inlined(Json part, String where) {
        Json at = part;
        for (int hops = 0; at instanceof JsonObject o && o.has("$ref"); hops++) {
            if (hops > 50) {
                throw SchemaKeywords.refuse(where, "a $ref leads back to itself with nothing in between");
            }
            at = resolve(o.string("$ref").orElse(""), where);
        }
        return at instanceof JsonObject object ? object : JsonObject.EMPTY;
    }

    private int typed(int from, String type, JsonObject schema, String where) {
        return switch (type) {
            case "null" -> builder.literal(from, "null");
            case "boolean" ->
                builder.anyOf(from, List.of(s -> builder.literal(s, "true"), s -> builder.literal(s, "false")));
            case "integer" ->
                new NumberGrammar(builder)
                        .integer(
                                from,
                                SchemaKeywords.bound(schema, "minimum", "exclusiveMinimum", where),
                                SchemaKeywords.bound(schema, "maximum", "exclusiveMaximum", where));
            case "number" ->
                new NumberGrammar(builder)
                        .number(
                                from,
                                SchemaKeywords.bound(schema, "minimum", "exclusiveMinimum", where),
                                SchemaKeywords.bound(schema, "maximum", "exclusiveMaximum", where));
            case "string" -> string(from, schema, where);
            case "array" -> array(from, schema, where);
            case "object" -> objects.object(from, schema, where);
            default -> throw SchemaKeywords.refuse(where, "there is no type '" + type + "'");
        };
    }

    private int string(int from, JsonObject schema, String where) {
        int min = SchemaKeywords.count(schema, "minLength", 0, where);
        int max = SchemaKeywords.count(schema, "maxLength", -1, where);
        Optional<String> pattern = schema.string("pattern");
        Optional<String> format = schema.string("format");
        if (pattern.isPresent() || format.isPresent()) {
            if (min > 0 || max >= 0 || (pattern.isPresent() && format.isPresent())) {
                throw SchemaKeywords.refuse(
                        where, "'pattern', 'format' and lengths cannot be joined; say it in one pattern");
            }
            int open = builder.literal(from, "\"");
            int close = pattern.isPresent()
                    ? RegexGrammar.somewhere(builder, open, pattern.get(), Characters.IN_JSON)
                    : RegexGrammar.whole(builder, open, Formats.pattern(format.get(), where), Characters.IN_JSON);
            return builder.literal(close, "\"");
        }
        if (max >= 0 && max < min) {
            throw SchemaKeywords.refuse(where, "'maxLength' is smaller than 'minLength'");
        }
        return json.string(from, min, max);
    }

    private int array(int from, JsonObject schema, String where) {
        List<Json> tuple = schema.array("prefixItems").map(JsonArray::items).orElse(List.of());
        boolean closed = schema.find("items")
                .filter(i -> i instanceof JsonBoolean(boolean b) && !b)
                .isPresent();
        int min = SchemaKeywords.count(schema, "minItems", 0, where);
        int max = SchemaKeywords.count(schema, "maxItems", -1, where);
        if (closed || (!tuple.isEmpty() && !schema.has("items"))) {
            max = max < 0 ? tuple.size() : Math.min(max, tuple.size());
        }
        if (max >= 0 && max < min) {
            throw SchemaKeywords.refuse(where, "no array has at least " + min + " and at most " + max + " items");
        }
        Json rest = schema.find("items").filter(i -> !closed).orElse(new JsonBoolean(true));
        int state = json.space(builder.literal(from, "["));
        int end = builder.state();
        if (min == 0) {
            builder.join(state, end);
        }
        int index = 0;
        while (index < tuple.size() && (max < 0 || index < max)) {
            state = value(index == 0 ? state : json.comma(state), tuple.get(index), where + "/prefixItems/" + index);
            index++;
            if (index >= min) {
                builder.join(state, end);
            }
        }
        if (max < 0 || index < max) {
            String place = where + "/items";
            IntUnaryOperator item = s -> builder.call(s, json.rule(place, start -> value(start, rest, place)));
            builder.join(more(state, index, Math.max(min, index + 1), max, item), end);
        }
        return builder.literal(json.space(end), "]");
    }

    /** Items behind the first so many, all alike. */
    private int more(int from, int index, int min, int max, IntUnaryOperator item) {
        int first = item.applyAsInt(index == 0 ? from : json.comma(from));
        int done = index + 1;
        return builder.repeat(
                first, Math.max(0, min - done), max < 0 ? -1 : max - done, s -> item.applyAsInt(json.comma(s)));
    }
}
