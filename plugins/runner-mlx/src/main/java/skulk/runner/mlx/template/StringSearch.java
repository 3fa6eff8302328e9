package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Native.function;
import static skulk.runner.mlx.template.Native.method;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** The methods of str that look for something and cut there. */
final class StringSearch {
    private StringSearch() {}

    static void addTo(Map<String, Native> all) {
        StringMethods.put(all, method("find", 2, "self sub start end", (_, a) -> find(a, false)));
        StringMethods.put(all, method("rfind", 2, "self sub start end", (_, a) -> find(a, true)));
        StringMethods.put(all, method("index", 2, "self sub start end", (_, a) -> found(find(a, false))));
        StringMethods.put(all, method("rindex", 2, "self sub start end", (_, a) -> found(find(a, true))));
        StringMethods.put(all, method("count", 2, "self sub start end", (_, a) -> count(a)));
        StringMethods.put(all, method("startswith", 2, "self prefix start end", (_, a) -> fixed(a, true)));
        StringMethods.put(all, method("endswith", 2, "self suffix start end", (_, a) -> fixed(a, false)));
        StringMethods.put(all, function("split", 1, "self sep maxsplit", (render, a) -> split(a, false, render)));
        StringMethods.put(all, function("rsplit", 1, "self sep maxsplit", (render, a) -> split(a, true, render)));
        StringMethods.put(all, method("partition", 2, "self sep", (_, a) -> partition(a, false)));
        StringMethods.put(all, method("rpartition", 2, "self sep", (_, a) -> partition(a, true)));
        StringMethods.put(all, function("splitlines", 1, "self keepends", (render, a) -> {
            List<String> lines = lines(a.text(0), a.integer(1, 0) != 0);
            render.elements(lines.size());
            return StringMethods.values(lines);
        }));
        StringMethods.put(all, method("removeprefix", 2, "self prefix", (_, a) -> {
            String text = a.text(0);
            return text.startsWith(a.text(1)) ? text.substring(a.text(1).length()) : text;
        }));
        StringMethods.put(all, method("removesuffix", 2, "self suffix", (_, a) -> {
            String text = a.text(0);
            String suffix = a.text(1);
            return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
        }));
    }

    /** The window that the arguments start and end leave, in chars. */
    private record Window(int from, int to, boolean possible) {
        static Window of(Bound a) {
            String text = a.text(0);
            if (!a.given(2) && !a.given(3)) {
                return new Window(0, text.length(), true);
            }
            int length = Str.length(text);
            long start = a.given(2) ? a.integer(2, 0) : 0;
            long end = a.given(3) ? a.integer(3, 0) : length;
            long from = start < 0 ? Math.max(0, start + length) : start;
            long to = Math.min(length, end < 0 ? Math.max(0, end + length) : end);
            return from > to
                    ? new Window(0, 0, false)
                    : new Window(Str.offset(text, (int) from), Str.offset(text, (int) to), true);
        }
    }

    private static long find(Bound a, boolean last) {
        String text = a.text(0);
        String sub = a.text(1);
        Window window = Window.of(a);
        if (!window.possible()) {
            return -1;
        }
        String part = text.substring(window.from(), window.to());
        int found = last ? part.lastIndexOf(sub) : part.indexOf(sub);
        return found < 0 ? -1 : text.codePointCount(0, window.from() + found);
    }

    private static long found(long position) {
        if (position < 0) {
            throw Errors.value("substring not found");
        }
        return position;
    }

    private static long count(Bound a) {
        Window window = Window.of(a);
        if (!window.possible()) {
            return 0;
        }
        String part = a.text(0).substring(window.from(), window.to());
        String sub = a.text(1);
        if (sub.isEmpty()) {
            return Str.length(part) + 1L;
        }
        long count = 0;
        for (int at = part.indexOf(sub); at >= 0; at = part.indexOf(sub, at + sub.length())) {
            count++;
        }
        return count;
    }

    private static boolean fixed(Bound a, boolean start) {
        Window window = Window.of(a);
        List<Object> options = a.get(1) instanceof PyTuple tuple ? tuple.items() : Collections.singletonList(a.get(1));
        for (Object option : options) {
            String fix = Str.of(option);
            if (fix == null) {
                throw Errors.type((start ? "startswith" : "endswith")
                        + (a.get(1) instanceof PyTuple
                                ? "() takes a str or a tuple of str, not " + Types.name(option)
                                : " first arg must be str or a tuple of str, not " + Types.name(option)));
            }
            String part = window.possible() ? a.text(0).substring(window.from(), window.to()) : "";
            if (window.possible() && (start ? part.startsWith(fix) : part.endsWith(fix))) {
                return true;
            }
        }
        return false;
    }

    private static Object partition(Bound a, boolean last) {
        String text = a.text(0);
        String separator = separator(a.text(1));
        int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return last ? PyTuple.of("", "", text) : PyTuple.of(text, "", "");
        }
        return PyTuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private static String separator(String separator) {
        if (separator.isEmpty()) {
            throw Errors.value("empty separator");
        }
        return separator;
    }

    private static Object split(Bound a, boolean right, Render render) {
        String text = a.text(0);
        long limit = a.integer(2, -1);
        long most = limit < 0 ? Long.MAX_VALUE : limit;
        render.work(text.length());
        List<String> parts;
        if (a.given(1)) {
            String separator = separator(a.text(1));
            parts = right ? splitRight(text, separator, most) : splitLeft(text, separator, most);
        } else {
            parts = right ? wordsRight(text, most) : wordsLeft(text, most);
        }
        render.elements(parts.size());
        return StringMethods.values(parts);
    }

    private static List<String> splitLeft(String text, String separator, long most) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && parts.size() < most; at = text.indexOf(separator, from)) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static List<String> splitRight(String text, String separator, long most) {
        List<String> parts = new ArrayList<>();
        int to = text.length();
        while (parts.size() < most) {
            int at = text.lastIndexOf(separator, to - separator.length());
            if (at < 0 || to < separator.length()) {
                break;
            }
            parts.add(text.substring(at + separator.length(), to));
            to = at;
        }
        parts.add(text.substring(0, to));
        return parts.reversed();
    }

    static List<String> wordsLeft(String text, long most) {
        List<String> words = new ArrayList<>();
        String rest = Str.stripLeft(text);
        int from = 0;
        while (from < rest.length()) {
            if (words.size() >= most) {
                words.add(rest.substring(from));
                break;
            }
            int to = from;
            while (to < rest.length() && !Str.isSpace(rest.charAt(to))) {
                to++;
            }
            words.add(rest.substring(from, to));
            from = to;
            while (from < rest.length() && Str.isSpace(rest.charAt(from))) {
                from++;
            }
        }
        return words;
    }

    private static List<String> wordsRight(String text, long most) {
        List<String> words = new ArrayList<>();
        String rest = Str.stripRight(text);
        int to = rest.length();
        while (to > 0) {
            if (words.size() >= most) {
                words.add(rest.substring(0, to));
                break;
            }
            int from = to;
            while (from > 0 && !Str.isSpace(rest.charAt(from - 1))) {
                from--;
            }
            words.add(rest.substring(from, to));
            to = from;
            while (to > 0 && Str.isSpace(rest.charAt(to - 1))) {
                to--;
            }
        }
        return words.reversed();
    }

    /** {@code str.splitlines}. */
    static List<String> lines(String text, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int to = from;
            while (to < text.length() && !Str.isLineEnd(text.charAt(to))) {
                to++;
            }
            int next = to == text.length() ? to : text.startsWith("\r\n", to) ? to + 2 : to + 1;
            lines.add(text.substring(from, keepEnds ? next : to));
            from = next;
        }
        return lines;
    }
}
