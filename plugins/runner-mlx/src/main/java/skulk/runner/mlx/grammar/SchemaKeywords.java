package skulk.runner.mlx.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** Which keywords of JSON Schema are understood, and how schemas are read and joined. */
final class SchemaKeywords {
    /** Say nothing about what is valid (2020-12 validation, section 9, and core, section 8). */
    private static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions",
            "$anchor",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "contentMediaType",
            "contentEncoding",
            "nullable");

    private static final Set<String> CONSTRAINTS = Set.of(
            "type",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum");

    private SchemaKeywords() {}

    /** The keywords that constrain, after checking that none is unknown. */
    static Set<String> constraints(JsonObject schema, String where) {
        Set<String> found = new LinkedHashSet<>();
        for (String keyword : schema.members().keySet()) {
            if (CONSTRAINTS.contains(keyword)) {
                found.add(keyword);
            } else if (!ANNOTATIONS.contains(keyword)) {
                throw refuse(where, "keyword '" + keyword + "' is not supported");
            }
        }
        return found;
    }

    static SkulkException refuse(String where, String what) {
        return new SkulkException(Kind.USER_ERROR, "json_schema: " + where + ": " + what);
    }

    static int count(JsonObject schema, String keyword, int fallback, String where) {
        Optional<Json> value = schema.find(keyword);
        if (value.isEmpty()) {
            return fallback;
        }
        if (value.get() instanceof JsonNumber n && n.isLong() && n.toLong() >= 0 && n.toLong() <= 100_000) {
            return (int) n.toLong();
        }
        throw refuse(where, "'" + keyword + "' must be a whole number from 0 to 100000");
    }

    /** The tighter of an inclusive and an exclusive bound. */
    static Optional<NumberGrammar.Bound> bound(JsonObject schema, String inclusive, String exclusive, String where) {
        Optional<NumberGrammar.Bound> soft = bound(schema, inclusive, false, where);
        Optional<NumberGrammar.Bound> hard = bound(schema, exclusive, true, where);
        if (soft.isEmpty() || hard.isEmpty()) {
            return soft.or(() -> hard);
        }
        int order = soft.get().value().compareTo(hard.get().value());
        boolean lower = inclusive.equals("minimum");
        return (lower ? order > 0 : order < 0) ? soft : hard;
    }

    private static Optional<NumberGrammar.Bound> bound(
            JsonObject schema, String keyword, boolean exclusive, String where) {
        return schema.find(keyword).map(value -> {
            if (!(value instanceof JsonNumber number) || Math.abs(number.toDouble()) >= 1e15) {
                throw refuse(where, "'" + keyword + "' must be a number of at most 15 digits");
            }
            return new NumberGrammar.Bound(new BigDecimal(number.literal()), exclusive);
        });
    }

    static List<String> strings(JsonObject schema, String keyword, String where) {
        List<String> found = new ArrayList<>();
        for (Json item : schema.array(keyword).orElseGet(JsonArray::of)) {
            if (!(item instanceof JsonString(String s))) {
                throw refuse(where, "'" + keyword + "' must be a list of strings");
            }
            found.add(s);
        }
        return found;
    }

    /** The types a schema allows; where it names none, the one its keywords speak of; empty = any. */
    static List<String> types(JsonObject schema, Set<String> constraints, String where) {
        Optional<Json> type = schema.find("type");
        List<String> types = new ArrayList<>();
        if (type.isPresent()) {
            types.addAll(type.get() instanceof JsonString(String one) ? List.of(one) : strings(schema, "type", where));
        } else if (constraints.stream().anyMatch(Set.of("properties", "required", "additionalProperties")::contains)) {
            types.add("object");
        } else if (constraints.stream().anyMatch(Set.of("items", "prefixItems", "minItems", "maxItems")::contains)) {
            types.add("array");
        } else if (constraints.stream().anyMatch(Set.of("minLength", "maxLength", "pattern", "format")::contains)) {
            types.add("string");
        } else if (constraints.stream().anyMatch(k -> k.endsWith("imum"))) {
            types.add("number");
        }
        if (!types.isEmpty() && schema.bool("nullable").orElse(false) && !types.contains("null")) {
            types.add("null");
        }
        return types;
    }

    /** A schema that both schemas allow, for keywords that join; two different values of one keyword do not. */
    static JsonObject both(JsonObject a, JsonObject b, String where) {
        SequencedMap<String, Json> joined = new LinkedHashMap<>(a.members());
        for (Map.Entry<String, Json> entry : b.members().entrySet()) {
            Json old = joined.get(entry.getKey());
            joined.put(
                    entry.getKey(),
                    old == null ? entry.getValue() : both(entry.getKey(), old, entry.getValue(), where));
        }
        return new JsonObject(joined);
    }

    private static Json both(String keyword, Json a, Json b, String where) {
        if (a.equals(b) || ANNOTATIONS.contains(keyword)) {
            return a;
        }
        if (keyword.equals("properties") && a instanceof JsonObject x && b instanceof JsonObject y) {
            SequencedMap<String, Json> all = new LinkedHashMap<>(x.members());
            y.members()
                    .forEach((name, schema) -> all.merge(
                            name,
                            schema,
                            (p, q) -> p instanceof JsonObject o && q instanceof JsonObject r ? both(o, r, where) : p));
            return new JsonObject(all);
        }
        if (keyword.equals("required") && a instanceof JsonArray x && b instanceof JsonArray y) {
            Set<Json> all = new LinkedHashSet<>(x.items());
            all.addAll(y.items());
            return new JsonArray(List.copyOf(all));
        }
        if (keyword.equals("additionalProperties") && (isFalse(a) || isFalse(b))) {
            return new JsonBoolean(false);
        }
        throw refuse(where, "two different values of '" + keyword + "' cannot be joined");
    }

    private static boolean isFalse(Json value) {
        return value instanceof JsonBoolean(boolean b) && !b;
    }
}
