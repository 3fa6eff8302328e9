package skulk.runner.mlx.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * A set of Unicode scalar values as sorted, disjoint ranges, and its UTF-8 as automaton edges (the byte ranges of RFC 3629 section 4; surrogates are never in it).
 */
record Characters(List<Range> ranges) {
    static final int MAX = 0x10FFFF;

    record Range(int low, int high) {}

    Characters {
        ranges = List.copyOf(ranges);
    }

    static final Characters ALL = of(0, MAX);

    static Characters of(int low, int high) {
        return union(List.of(new Range(low, high)));
    }

    static Characters anyOf(String characters) {
        return union(characters.codePoints().mapToObj(c -> new Range(c, c)).toList());
    }

    /** Sorts, joins and takes out surrogates. */
    static Characters union(List<Range> parts) {
        List<Range> sorted = new ArrayList<>();
        for (Range part : parts) {
            addPart(sorted, part.low, Math.min(part.high, 0xD7FF));
            addPart(sorted, Math.max(part.low, 0xE000), part.high);
        }
        sorted.sort((a, b) -> Integer.compare(a.low, b.low));
        List<Range> joined = new ArrayList<>();
        for (Range range : sorted) {
            if (!joined.isEmpty() && range.low <= joined.getLast().high + 1) {
                Range last = joined.removeLast();
                joined.add(new Range(last.low, Math.max(last.high, range.high)));
            } else {
                joined.add(range);
            }
        }
        return new Characters(joined);
    }

    private static void addPart(List<Range> to, int low, int high) {
        if (low <= high) {
            to.add(new Range(low, high));
        }
    }

    Characters or(Characters other) {
        List<Range> both = new ArrayList<>(ranges);
        both.addAll(other.ranges);
        return union(both);
    }

    Characters not() {
        List<Range> rest = new ArrayList<>();
        int from = 0;
        for (Range range : ranges) {
            if (range.low > from) {
                rest.add(new Range(from, range.low - 1));
            }
            from = range.high + 1;
        }
        if (from <= MAX) {
            rest.add(new Range(from, MAX));
        }
        return union(rest);
    }

    Characters and(Characters other) {
        return not().or(other.not()).not();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    /** Adds the UTF-8 of one character of the set. */
    int add(GrammarBuilder builder, int from) {
        int to = builder.state();
        for (Range range : ranges) {
            addRange(builder, from, to, range.low, range.high);
        }
        return to;
    }

    /** Splits a range where the length of the encoding changes. */
    private static void addRange(GrammarBuilder builder, int from, int to, int low, int high) {
        int[] lastOfLength = {0x7F, 0x7FF, 0xFFFF, MAX};
        int at = low;
        for (int length = 1; length <= 4 && at <= high; length++) {
            if (at <= lastOfLength[length - 1]) {
                int end = Math.min(high, lastOfLength[length - 1]);
                addSameLength(builder, from, to, encode(at, length), encode(end, length));
                at = end + 1;
            }
        }
    }

    private static int[] encode(int character, int length) {
        int[] bytes = new int[length];
        int rest = character;
        for (int i = length - 1; i > 0; i--) {
            bytes[i] = 0x80 | (rest & 0x3F);
            rest >>= 6;
        }
        int[] lead = {0, 0xC0, 0xE0, 0xF0};
        bytes[0] = lead[length - 1] | rest;
        return bytes;
    }

    /** Paths for all byte strings from low to high: the first byte's inner values with anything behind, its two ends with a narrower rest. */
    private static void addSameLength(GrammarBuilder builder, int from, int to, int[] low, int[] high) {
        if (low.length == 1) {
            builder.edge(from, low[0], high[0], to);
            return;
        }
        int[] lowRest = rest(low);
        int[] highRest = rest(high);
        if (low[0] == high[0]) {
            addSameLength(builder, builder.range(from, low[0], low[0]), to, lowRest, highRest);
            return;
        }
        int firstFree = low[0];
        int lastFree = high[0];
        if (!all(lowRest, 0x80)) {
            addSameLength(builder, builder.range(from, low[0], low[0]), to, lowRest, filled(lowRest.length, 0xBF));
            firstFree++;
        }
        if (!all(highRest, 0xBF)) {
            addSameLength(builder, builder.range(from, high[0], high[0]), to, filled(highRest.length, 0x80), highRest);
            lastFree--;
        }
        if (firstFree <= lastFree) {
            int middle = builder.range(from, firstFree, lastFree);
            addSameLength(builder, middle, to, filled(lowRest.length, 0x80), filled(lowRest.length, 0xBF));
        }
    }

    private static int[] rest(int[] bytes) {
        return java.util.Arrays.copyOfRange(bytes, 1, bytes.length);
    }

    private static int[] filled(int length, int value) {
        int[] bytes = new int[length];
        java.util.Arrays.fill(bytes, value);
        return bytes;
    }

    private static boolean all(int[] bytes, int value) {
        return java.util.Arrays.stream(bytes).allMatch(b -> b == value);
    }

    /** How a character is written: as it is, or as JSON has it inside a string. */
    interface Writing {
        int add(GrammarBuilder builder, int from, Characters characters);
    }

    /** Characters as they are. */
    static final Writing PLAIN = (builder, from, characters) -> characters.add(builder, from);

    /** Characters that JSON strings hold as they are (RFC 8259 section 7). */
    private static final Characters UNESCAPED = of(0x20, MAX).and(anyOf("\"\\").not());

    /** Characters of a JSON string, quotation marks, backslashes and controls by their one escape. */
    static final Writing IN_JSON = (builder, from, characters) -> {
        List<IntUnaryOperator> ways = new ArrayList<>();
        Characters raw = characters.and(UNESCAPED);
        if (!raw.isEmpty()) {
            ways.add(at -> raw.add(builder, at));
        }
        for (Range range : characters.and(UNESCAPED.not()).ranges) {
            for (int c = range.low; c <= range.high; c++) {
                String escape = escape(c);
                ways.add(at -> builder.literal(at, escape));
            }
        }
        return builder.anyOf(from, ways);
    };

    private static String escape(int character) {
        return switch (character) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u%04x".formatted(character);
        };
    }
}
