package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Native.function;
import static skulk.runner.mlx.template.Native.method;

import java.util.Map;
import java.util.function.IntPredicate;

/** The methods of str that strip and pad. */
final class StringLayout {
    private StringLayout() {}

    static void addTo(Map<String, Native> all) {
        StringMethods.put(all, method("strip", 1, "self chars", (_, a) -> strip(a, true, true)));
        StringMethods.put(all, method("lstrip", 1, "self chars", (_, a) -> strip(a, true, false)));
        StringMethods.put(all, method("rstrip", 1, "self chars", (_, a) -> strip(a, false, true)));
        StringMethods.put(
                all,
                method(
                        "ljust",
                        2,
                        "self width fillchar",
                        (render, a) -> pad(a.text(0), 0, missing(a), fill(a), render)));
        StringMethods.put(
                all,
                method(
                        "rjust",
                        2,
                        "self width fillchar",
                        (render, a) -> pad(a.text(0), missing(a), 0, fill(a), render)));
        StringMethods.put(
                all,
                method(
                        "center",
                        2,
                        "self width fillchar",
                        (render, a) -> center(a.text(0), a.integer(1, 0), fill(a), render)));
        StringMethods.put(all, method("zfill", 2, "self width", (render, a) -> zeroFill(a, render)));
        StringMethods.put(
                all,
                function(
                        "expandtabs",
                        1,
                        "self tabsize",
                        (render, a) -> expandTabs(a.text(0), a.integer(1, 8), render)));
    }

    private static String strip(Bound a, boolean left, boolean right) {
        if (a.given(1) && Str.of(a.get(1)) == null) {
            throw Errors.type("strip arg must be None or str");
        }
        return strip(a.text(0), a.given(1) ? a.text(1) : null, left, right);
    }

    /**
     * Strips both or one of the ends.
     *
     * @param chars what to strip; null for white space
     */
    static String strip(String text, String chars, boolean left, boolean right) {
        IntPredicate stripped = chars == null ? Str::isSpace : c -> chars.indexOf(c) >= 0;
        int start = 0;
        int end = text.length();
        while (left && start < end && stripped.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && stripped.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    private static long missing(Bound a) {
        return Math.max(0, a.integer(1, 0) - Str.length(a.text(0)));
    }

    private static String fill(Bound a) {
        String fill = a.text(2, " ");
        if (Str.length(fill) != 1) {
            throw Errors.type("The fill character must be exactly one character long");
        }
        return fill;
    }

    private static String pad(String text, long left, long right, String fill, Render render) {
        return left == 0 && right == 0
                ? text
                : new Text(render)
                        .repeat(fill, left)
                        .add(text)
                        .repeat(fill, right)
                        .toString();
    }

    static String center(String text, long width, String fill, Render render) {
        long missing = Math.max(0, width - Str.length(text));
        long left = missing / 2 + (missing & width & 1);
        return pad(text, left, missing - left, fill, render);
    }

    private static String zeroFill(Bound a, Render render) {
        String text = a.text(0);
        boolean signed = text.startsWith("+") || text.startsWith("-");
        return missing(a) == 0
                ? text
                : new Text(render)
                        .add(signed ? text.substring(0, 1) : "")
                        .repeat("0", missing(a))
                        .add(signed ? text.substring(1) : text)
                        .toString();
    }

    private static String expandTabs(String text, long size, Render render) {
        Text result = new Text(render);
        long column = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c == '\t') {
                long spaces = size > 0 ? size - column % size : 0;
                result.repeat(" ", spaces);
                column += spaces;
            } else {
                result.addCodePoint(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return result.toString();
    }
}
