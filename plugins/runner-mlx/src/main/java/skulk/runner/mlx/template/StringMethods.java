package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Native.method;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntPredicate;

/** The methods of Python's str, but for format. */
final class StringMethods {
    static final Map<String, Native> ALL = all();

    private StringMethods() {}

    private static Map<String, Native> all() {
        Map<String, Native> all = new HashMap<>();
        simple(all, "upper", text -> text.toUpperCase(Locale.ROOT));
        simple(all, "lower", text -> text.toLowerCase(Locale.ROOT));
        simple(all, "title", StringMethods::title);
        simple(all, "capitalize", StringMethods::capitalize);
        simple(all, "swapcase", StringMethods::swapCase);
        simple(all, "casefold", StringMethods::caseFold);
        check(all, "isalpha", Character::isLetter);
        check(all, "isalnum", c -> Character.isLetter(c) || isNumeric(c));
        check(all, "isdigit", c -> Character.isDigit(c) || isSuperscript(c));
        check(all, "isdecimal", Character::isDigit);
        check(all, "isnumeric", StringMethods::isNumeric);
        check(all, "isspace", Str::isSpace);
        simple(all, "isupper", text -> isCase(text, Character::isUpperCase));
        simple(all, "islower", text -> isCase(text, Character::isLowerCase));
        simple(all, "istitle", StringMethods::isTitle);
        simple(all, "isascii", text -> text.chars().allMatch(c -> c < 128));
        simple(all, "isprintable", text -> text.codePoints().allMatch(Repr::printable));
        simple(all, "isidentifier", StringMethods::isIdentifier);
        StringSearch.addTo(all);
        StringLayout.addTo(all);
        put(all, method("join", 2, "self iterable", (render, a) -> join(a.text(0), a.get(1), render)));
        put(
                all,
                method(
                        "replace",
                        3,
                        "self old new count",
                        (render, a) -> replace(a.text(0), a.text(1), a.text(2), a.integer(3, -1), render)));
        put(all, method("translate", 2, "self table", (render, a) -> translate(a.text(0), a.get(1), render)));
        put(all, method("encode", 1, "self encoding errors", (_, _) -> {
            throw Errors.type("bytes are not supported in chat templates");
        }));
        return Map.copyOf(all);
    }

    static void put(Map<String, Native> all, Native method) {
        all.put(method.name(), method);
    }

    private static void simple(Map<String, Native> all, String name, Function<String, Object> body) {
        put(all, method(name, 1, "self", (render, a) -> {
            render.work(a.text(0).length());
            return body.apply(a.text(0));
        }));
    }

    private static void check(Map<String, Native> all, String name, IntPredicate predicate) {
        simple(all, name, text -> !text.isEmpty() && text.codePoints().allMatch(predicate));
    }

    private static boolean isSuperscript(int c) {
        return c == 0xb2
                || c == 0xb3
                || c == 0xb9
                || c == 0x2070
                || (c >= 0x2074 && c <= 0x2079)
                || (c >= 0x2080 && c <= 0x2089)
                || (c >= 0x2460 && c <= 0x2468);
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER
                || Character.isDigit(c);
    }

    private static boolean isCase(String text, IntPredicate wanted) {
        return text.codePoints().anyMatch(Str::isCased)
                && text.codePoints().filter(Str::isCased).allMatch(wanted);
    }

    static boolean isLower(String text) {
        return isCase(text, Character::isLowerCase);
    }

    static boolean isUpper(String text) {
        return isCase(text, Character::isUpperCase);
    }

    private static boolean isTitle(String text) {
        boolean cased = false;
        boolean after = false;
        for (int c : text.codePoints().toArray()) {
            boolean upper = Character.isUpperCase(c) || Str.isTitle(c);
            boolean lower = Character.isLowerCase(c);
            if (upper && after || lower && !after) {
                return false;
            }
            after = upper || lower;
            cased |= after;
        }
        return cased;
    }

    private static boolean isIdentifier(String text) {
        return !text.isEmpty()
                && (text.charAt(0) == '_' || Character.isUnicodeIdentifierStart(text.codePointAt(0)))
                && text.codePoints().skip(1).allMatch(c -> c == '_' || Character.isUnicodeIdentifierPart(c))
                && text.codePoints().noneMatch(Character::isIdentifierIgnorable);
    }

    private static String title(String text) {
        StringBuilder result = new StringBuilder();
        boolean after = false;
        for (int c : text.codePoints().toArray()) {
            result.append(after ? lower(c) : titled(c));
            after = Str.isCased(c);
        }
        return result.toString();
    }

    private static String lower(int c) {
        return Character.toString(c).toLowerCase(Locale.ROOT);
    }

    /** The title case of one character; those that become several (ß) get a capital first one. */
    private static String titled(int c) {
        int title = Character.toTitleCase(c);
        if (title != c) {
            return Character.toString(title);
        }
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        int first = upper.offsetByCodePoints(0, 1);
        return upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return titled(text.codePointAt(0)) + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String swapCase(String text) {
        StringBuilder result = new StringBuilder();
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            result.append(
                    Character.isUpperCase(c)
                            ? lower(c)
                            : Character.isLowerCase(c) ? character.toUpperCase(Locale.ROOT) : character);
        });
        return result.toString();
    }

    private static String caseFold(String text) {
        StringBuilder result = new StringBuilder();
        text.codePoints().forEach(c -> {
            // The dotless i is the one letter that going up and down again would change.
            String upper = c == 0x131 ? "\u0131" : Character.toString(c).toUpperCase(Locale.ROOT);
            upper.codePoints().forEach(u -> result.append(lower(u)));
        });
        return result.toString();
    }

    static String join(String separator, Object iterable, Render render) {
        if (!Types.iterable(iterable)) {
            throw Errors.type("can only join an iterable");
        }
        Text text = new Text(render);
        int index = 0;
        for (Iterator<Object> items = Types.iterate(iterable); items.hasNext(); index++) {
            render.step();
            Object item = items.next();
            String part = Str.of(item);
            if (part == null) {
                throw Errors.type("sequence item " + index + ": expected str instance, " + Types.name(item) + " found");
            }
            text.add(index == 0 ? "" : separator).add(part);
        }
        return text.toString();
    }

    static String replace(String text, String old, String replacement, long count, Render render) {
        long left = count < 0 ? Long.MAX_VALUE : count;
        Text result = new Text(render);
        int position = 0;
        if (old.isEmpty()) {
            for (; left > 0 && position <= text.length(); left--) {
                result.add(replacement);
                if (position == text.length()) {
                    return result.toString();
                }
                int next = text.offsetByCodePoints(position, 1);
                result.add(text, position, next);
                position = next;
            }
            return result.add(text, position, text.length()).toString();
        }
        for (int found = text.indexOf(old); found >= 0 && left > 0; found = text.indexOf(old, position), left--) {
            result.add(text, position, found).add(replacement);
            position = found + old.length();
        }
        return position == 0 ? text : result.add(text, position, text.length()).toString();
    }

    private static String translate(String text, Object table, Render render) {
        if (!(table instanceof PyDict dict)) {
            throw Errors.type(Repr.quote(Types.name(table)) + " object is not subscriptable");
        }
        Text result = new Text(render);
        text.codePoints().forEach(c -> {
            Object to = dict.get((long) c);
            if (to == Missing.MISSING) {
                result.addCodePoint(c);
            } else if (to instanceof Long code) {
                result.addCodePoint(code.intValue());
            } else if (to != null) {
                result.add(Repr.str(to, render));
            }
        });
        return result.toString();
    }

    /** A list of strings as a template value. */
    static List<Object> values(List<String> parts) {
        return new ArrayList<>(parts);
    }
}
