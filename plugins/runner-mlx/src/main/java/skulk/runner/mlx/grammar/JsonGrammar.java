package skulk.runner.mlx.grammar;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import skulk.api.json.Json;
import skulk.api.json.JsonString;

/** Adds the pieces that all JSON is made of (RFC 8259). Space between tokens is bounded, so that no output loses itself in it. */
final class JsonGrammar {
    private static final int MAX_INDENT = 24;
    /** High and low surrogates as escapes come in pairs only; other escapes stand for one character each. */
    private static final String HEX = "0123456789abcdefABCDEF";

    final GrammarBuilder builder;
    private final Map<String, Integer> rules = new HashMap<>();

    JsonGrammar(GrammarBuilder builder) {
        this.builder = builder;
    }

    /** The start of a rule, made on first use; it may call itself. */
    int rule(String name, IntUnaryOperator body) {
        Integer known = rules.get(name);
        if (known != null) {
            return known;
        }
        int start = builder.state();
        rules.put(name, start);
        builder.end(body.applyAsInt(start));
        return start;
    }

    /** Nothing, a blank, or a line break with indentation. */
    int space(int from) {
        return builder.optional(
                from,
                s -> builder.anyOf(
                        s,
                        List.of(
                                t -> builder.literal(t, " "),
                                t -> builder.repeat(
                                        builder.literal(t, "\n"), 0, MAX_INDENT, u -> builder.literal(u, " ")))));
    }

    int literal(int from, Json value) {
        return builder.literal(from, value.toString());
    }

    /** A string of so many characters; max negative = any number. */
    int string(int from, int min, int max) {
        int open = builder.literal(from, "\"");
        return builder.literal(builder.repeat(open, min, max, this::character), "\"");
    }

    private int character(int from) {
        return builder.anyOf(
                from,
                List.of(
                        s -> Characters.of(0x20, Characters.MAX)
                                .and(Characters.anyOf("\"\\").not())
                                .add(builder, s),
                        s -> escape(builder.literal(s, "\\"))));
    }

    private int escape(int from) {
        return builder.anyOf(
                from,
                List.of(s -> Characters.anyOf("\"\\/bfnrt").add(builder, s), s -> unicode(builder.literal(s, "u"))));
    }

    private int unicode(int from) {
        IntUnaryOperator hex = s -> Characters.anyOf(HEX).add(builder, s);
        IntUnaryOperator single = s -> builder.repeat(
                builder.anyOf(
                        s,
                        List.of(
                                t -> hex.applyAsInt(
                                        Characters.anyOf("0123456789abcefABCEF").add(builder, t)),
                                t -> Characters.of('0', '7')
                                        .add(builder, Characters.anyOf("dD").add(builder, t)))),
                2,
                2,
                hex);
        IntUnaryOperator pair = s -> {
            int high = Characters.anyOf("89abAB")
                    .add(builder, Characters.anyOf("dD").add(builder, s));
            int low = builder.literal(builder.repeat(high, 2, 2, hex), "\\u");
            int second = Characters.anyOf("cdefCDEF")
                    .add(builder, Characters.anyOf("dD").add(builder, low));
            return builder.repeat(second, 2, 2, hex);
        };
        return builder.anyOf(from, List.of(single, pair));
    }

    /** Any JSON value. */
    int any(int from) {
        return builder.call(
                from,
                rule(
                        "any",
                        start -> builder.anyOf(
                                start,
                                List.of(
                                        this::anyObject,
                                        this::anyArray,
                                        s -> string(s, 0, -1),
                                        s -> new NumberGrammar(builder).number(s),
                                        s -> builder.literal(s, "true"),
                                        s -> builder.literal(s, "false"),
                                        s -> builder.literal(s, "null")))));
    }

    /** Any JSON object. */
    int anyObject(int from) {
        return object(from, s -> member(s, t -> string(t, 0, -1), this::any));
    }

    private int anyArray(int from) {
        int open = space(builder.literal(from, "["));
        return builder.literal(builder.optional(open, s -> space(list(s, 1, -1, this::any))), "]");
    }

    /** An object of any number of members, all alike. */
    int object(int from, IntUnaryOperator member) {
        int open = space(builder.literal(from, "{"));
        return builder.literal(builder.optional(open, s -> space(list(s, 1, -1, member))), "}");
    }

    int member(int from, IntUnaryOperator key, IntUnaryOperator value) {
        return value.applyAsInt(space(builder.literal(key.applyAsInt(from), ":")));
    }

    int comma(int from) {
        return space(builder.literal(from, ","));
    }

    /** At least one item, with commas between. */
    int list(int from, int min, int max, IntUnaryOperator item) {
        int first = item.applyAsInt(from);
        return builder.repeat(first, Math.max(0, min - 1), max < 0 ? -1 : max - 1, s -> item.applyAsInt(comma(s)));
    }

    int key(int from, String name) {
        return literal(from, new JsonString(name));
    }
}
