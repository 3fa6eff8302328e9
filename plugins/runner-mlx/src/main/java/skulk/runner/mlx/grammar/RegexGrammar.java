package skulk.runner.mlx.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * Adds a regular expression to a grammar: literals, {@code .}, classes, {@code \d \w \s} and their complements, groups, alternation, {@code * + ? {m,n}}, {@code ^} and
 * {@code $} at the ends. What has no finite automaton or would change what matches (look-around, back references, lazy and possessive quantifiers, word
 * boundaries, inline flags) is refused by name. One use each.
 */
final class RegexGrammar {
    /** Of {@code x*} and {@code x{m,}} the count is not limited; of {@code {m,n}} it is. */
    private static final int MAX_COUNT = 10_000;

    private static final Characters DIGIT = Characters.of('0', '9');
    private static final Characters WORD =
            DIGIT.or(Characters.of('a', 'z')).or(Characters.of('A', 'Z')).or(Characters.anyOf("_"));
    private static final Characters SPACE = Characters.anyOf(" \t\n\r\f\u000b\u00a0\u2028\u2029\ufeff");
    private static final Characters NOT_LINE_END =
            Characters.anyOf("\n\r\u2028\u2029").not();

    private final String pattern;
    private final GrammarBuilder builder;
    private final Characters.Writing writing;
    private int at;
    private int depth;

    private RegexGrammar(String pattern, GrammarBuilder builder, Characters.Writing writing) {
        this.pattern = pattern;
        this.builder = builder;
        this.writing = writing;
    }

    /** Text that the whole expression matches; anchors at the ends say nothing new. */
    static int whole(GrammarBuilder builder, int from, String pattern, Characters.Writing writing) {
        RegexGrammar regex = new RegexGrammar(unanchored(pattern), builder, writing);
        return regex.parse().applyAsInt(from);
    }

    /** Text in which the expression matches somewhere, as JSON Schema's {@code pattern} has it (an anchor fixes an end). */
    static int somewhere(GrammarBuilder builder, int from, String pattern, Characters.Writing writing) {
        boolean begins = pattern.startsWith("^");
        boolean ends = endsAnchored(pattern);
        IntUnaryOperator inner = new RegexGrammar(unanchored(pattern), builder, writing).parse();
        IntUnaryOperator anything = s -> builder.repeat(s, 0, -1, t -> writing.add(builder, t, Characters.ALL));
        int state = begins ? from : anything.applyAsInt(from);
        state = inner.applyAsInt(state);
        return ends ? state : anything.applyAsInt(state);
    }

    private static boolean endsAnchored(String pattern) {
        int backslashes = 0;
        while (backslashes + 1 < pattern.length() && pattern.charAt(pattern.length() - 2 - backslashes) == '\\') {
            backslashes++;
        }
        return pattern.endsWith("$") && backslashes % 2 == 0;
    }

    private static String unanchored(String pattern) {
        String text = endsAnchored(pattern) ? pattern.substring(0, pattern.length() - 1) : pattern;
        boolean begins = text.startsWith("^");
        if ((begins || text.length() < pattern.length()) && hasTopLevelAlternative(text)) {
            throw new SkulkException(
                    Kind.USER_ERROR,
                    "pattern '" + pattern
                            + "': an anchor beside '|' binds to one alternative only; put the alternatives in (…)");
        }
        return begins ? text.substring(1) : text;
    }

    private static boolean hasTopLevelAlternative(String text) {
        int depth = 0;
        boolean inClass = false;
        for (int i = 0; i < text.length(); i++) {
            switch (text.charAt(i)) {
                case '\\' -> i++;
                case '[' -> inClass = true;
                case ']' -> inClass = false;
                case '(' -> depth += inClass ? 0 : 1;
                case ')' -> depth -= inClass ? 0 : 1;
                case '|' -> {
                    if (depth == 0 && !inClass) {
                        return true;
                    }
                }
                default -> {}
            }
        }
        return false;
    }

    private IntUnaryOperator parse() {
        IntUnaryOperator whole = alternatives();
        if (at < pattern.length()) {
            throw refuse("unbalanced ')'");
        }
        return whole;
    }

    private IntUnaryOperator alternatives() {
        if (++depth > 100) {
            throw refuse("groups nested deeper than 100");
        }
        List<IntUnaryOperator> ways = new ArrayList<>();
        ways.add(sequence());
        while (peek() == '|') {
            at++;
            ways.add(sequence());
        }
        depth--;
        return ways.size() == 1 ? ways.getFirst() : from -> builder.anyOf(from, ways);
    }

    private IntUnaryOperator sequence() {
        List<IntUnaryOperator> parts = new ArrayList<>();
        while (at < pattern.length() && peek() != '|' && peek() != ')') {
            parts.add(quantified(atom()));
        }
        return from -> {
            int state = from;
            for (IntUnaryOperator part : parts) {
                state = part.applyAsInt(state);
            }
            return state;
        };
    }

    private IntUnaryOperator quantified(IntUnaryOperator atom) {
        int min;
        int max;
        switch (peek()) {
            case '*' -> {
                min = 0;
                max = -1;
            }
            case '+' -> {
                min = 1;
                max = -1;
            }
            case '?' -> {
                min = 0;
                max = 1;
            }
            case '{' -> {
                int end = pattern.indexOf('}', at);
                if (end < 0 || !pattern.substring(at + 1, end).matches("\\d{1,6}(,\\d{0,6})?")) {
                    throw refuse("'{' that is no count; write \\{");
                }
                String[] bounds = pattern.substring(at + 1, end).split(",", -1);
                min = Integer.parseInt(bounds[0]);
                max = bounds.length == 1 ? min : bounds[1].isEmpty() ? -1 : Integer.parseInt(bounds[1]);
                if (Math.max(min, max) > MAX_COUNT || (max >= 0 && max < min)) {
                    throw refuse("a count that is reversed or above " + MAX_COUNT);
                }
                at = end;
            }
            default -> {
                return atom;
            }
        }
        at++;
        if (peek() == '?' || peek() == '+') {
            throw refuse("a lazy or possessive quantifier");
        }
        if (peek() == '*' || peek() == '{') {
            throw refuse("a quantifier of a quantifier");
        }
        return from -> builder.repeat(from, min, max, atom);
    }

    private IntUnaryOperator atom() {
        char c = pattern.charAt(at);
        switch (c) {
            case '(' -> {
                return group();
            }
            case '[' -> {
                return characters(characterClass());
            }
            case '.' -> {
                at++;
                return characters(NOT_LINE_END);
            }
            case '\\' -> {
                at++;
                return characters(escape(false));
            }
            case '^', '$' -> throw refuse("'" + c + "' inside the expression");
            case '*', '+', '?', '{' -> throw refuse("a quantifier with nothing before it");
            default -> {
                int character = pattern.codePointAt(at);
                at += Character.charCount(character);
                return characters(Characters.of(character, character));
            }
        }
    }

    private IntUnaryOperator characters(Characters set) {
        if (set.isEmpty()) {
            throw refuse("a class that no character is in");
        }
        return from -> writing.add(builder, from, set);
    }

    private IntUnaryOperator group() {
        at++;
        if (peek() == '?') {
            if (pattern.startsWith("?:", at)) {
                at += 2;
            } else if (pattern.startsWith("?<", at)
                    && !pattern.startsWith("?<=", at)
                    && !pattern.startsWith("?<!", at)) {
                at = pattern.indexOf('>', at) + 1;
                if (at == 0) {
                    throw refuse("a group name without '>'");
                }
            } else {
                throw refuse("look-around or an inline flag '("
                        + pattern.substring(at, Math.min(at + 3, pattern.length())) + "'");
            }
        }
        IntUnaryOperator inner = alternatives();
        if (peek() != ')') {
            throw refuse("unbalanced '('");
        }
        at++;
        return inner;
    }

    private Characters characterClass() {
        at++;
        boolean negated = peek() == '^';
        at += negated ? 1 : 0;
        Characters set = new Characters(List.of());
        boolean first = true;
        while (first || peek() != ']') {
            if (at >= pattern.length()) {
                throw refuse("unbalanced '['");
            }
            first = false;
            Characters low = classMember();
            if (peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
                at++;
                low = range(low, classMember());
            }
            set = set.or(low);
        }
        at++;
        return negated ? set.not() : set;
    }

    private Characters classMember() {
        if (peek() == '\\') {
            at++;
            return escape(true);
        }
        int character = pattern.codePointAt(at);
        at += Character.charCount(character);
        return Characters.of(character, character);
    }

    private Characters range(Characters low, Characters high) {
        int from = low.ranges().getFirst().low();
        int to = high.ranges().getLast().high();
        if (low.ranges().size() != 1
                || from != low.ranges().getFirst().high()
                || high.ranges().size() != 1
                || to < from) {
            throw refuse("a range that does not run from one character to a later one");
        }
        return Characters.of(from, to);
    }

    private Characters escape(boolean inClass) {
        if (at >= pattern.length()) {
            throw refuse("a backslash at the end");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 'n' -> Characters.anyOf("\n");
            case 'r' -> Characters.anyOf("\r");
            case 't' -> Characters.anyOf("\t");
            case 'f' -> Characters.anyOf("\f");
            case 'v' -> Characters.anyOf("\u000b");
            case '0' -> Characters.of(0, 0);
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'b' -> {
                if (!inClass) {
                    throw refuse("a word boundary \\b");
                }
                yield Characters.anyOf("\b");
            }
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw refuse("\\" + Character.toString(c));
                }
                yield Characters.of(c, c);
            }
        };
    }

    private Characters hex(int digits) {
        int end = at + digits;
        if (end > pattern.length() || !pattern.substring(at, end).matches("[0-9a-fA-F]+")) {
            throw refuse("an incomplete hexadecimal escape");
        }
        int character = Integer.parseInt(pattern.substring(at, end), 16);
        at = end;
        return Characters.of(character, character);
    }

    private char peek() {
        return at < pattern.length() ? pattern.charAt(at) : '\0';
    }

    private SkulkException refuse(String what) {
        return new SkulkException(Kind.USER_ERROR, "pattern '" + pattern + "': " + what + " is not supported");
    }
}
