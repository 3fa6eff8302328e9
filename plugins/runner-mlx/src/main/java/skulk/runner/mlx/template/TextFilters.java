package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Filters.put;

import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The filters that turn text into text. */
final class TextFilters {
    private static final Pattern WORD_START = Pattern.compile("[-\\s\\x1c-\\x1f\\x85\\p{Z}({\\[<]+");
    private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}_]+");
    private static final Pattern BAD_ATTRIBUTE = Pattern.compile("[ \\t\\n\\x0b\\f\\r/>=]");

    private TextFilters() {}

    static void addTo(Map<String, Callable> all) {
        put(all, "upper", 1, "s", (render, a) -> method("upper", soft(a.get(0), render), render));
        put(all, "lower", 1, "s", (render, a) -> method("lower", soft(a.get(0), render), render));
        put(all, "capitalize", 1, "s", (render, a) -> method("capitalize", soft(a.get(0), render), render));
        put(all, "title", 1, "s", (render, a) -> title(Repr.str(a.get(0), render)));
        put(
                all,
                "trim",
                1,
                "value chars",
                (render, a) -> method("strip", soft(a.get(0), render), render, a.get(1, null)));
        put(
                all,
                "center",
                1,
                "value width",
                (render, a) -> method("center", soft(a.get(0), render), render, a.get(1, 80L)));
        put(all, "string", 1, "s", (render, a) -> soft(a.get(0), render));
        put(all, "escape e", 1, "s", (render, a) -> Markup.escape(a.get(0), render));
        put(all, "forceescape", 1, "value", (render, a) -> Markup.escape(Repr.str(a.get(0), render), render));
        put(all, "safe", 1, "value", (render, a) -> new Markup(Repr.str(a.get(0), render)));
        put(all, "striptags", 1, "value", (render, a) -> Html.stripTags(Repr.str(a.get(0), render), render));
        put(
                all,
                "replace",
                3,
                "s old new count",
                (render, a) -> StringMethods.replace(
                        Repr.str(a.get(0), render),
                        Repr.str(a.get(1), render),
                        Repr.str(a.get(2), render),
                        a.given(3) ? a.integer(3, -1) : -1,
                        render));
        all.put("format", (render, args) -> format(args, render));
        put(all, "join", 1, "value d attribute", (render, a) -> join(a, render));
        put(
                all,
                "wordcount",
                1,
                "s",
                (render, a) ->
                        WORD.matcher(Repr.str(a.get(0), render)).results().count());
        put(all, "urlencode", 1, "value", (render, a) -> urlEncode(a.get(0), render));
        put(all, "urlize", 1, "value trim_url_limit nofollow target rel extra_schemes", (_, _) -> {
            throw Errors.jinja("the filter 'urlize' is not supported in chat templates");
        });
        put(all, "xmlattr", 1, "d autospace", (render, a) -> xmlAttributes(a.get(0), a.flag(1, true), render));
        put(
                all,
                "tojson",
                1,
                "x ensure_ascii indent separators sort_keys",
                (render, a) -> new JsonWriter(a, render).write(a.get(0)));
        put(all, "pprint", 1, "value", (render, a) -> new PrettyPrinter(render).print(a.get(0)));
    }

    /** The value as text; Markup stays Markup. */
    static Object soft(Object value, Render render) {
        return Types.isString(value) ? value : Repr.str(value, render);
    }

    private static Object method(String name, Object text, Render render, Object... arguments) {
        Object method = Attributes.attribute(text, name, render);
        return ((Callable) method).call(render, Args.of(arguments));
    }

    private static String title(String text) {
        StringBuilder result = new StringBuilder();
        Matcher separator = WORD_START.matcher(text);
        int from = 0;
        while (separator.find()) {
            word(text.substring(from, separator.start()), result);
            result.append(separator.group());
            from = separator.end();
        }
        word(text.substring(from), result);
        return result.toString();
    }

    private static void word(String word, StringBuilder result) {
        if (!word.isEmpty()) {
            int first = word.offsetByCodePoints(0, 1);
            result.append(word.substring(0, first).toUpperCase(Locale.ROOT));
            result.append(word.substring(first).toLowerCase(Locale.ROOT));
        }
    }

    private static Object format(Args args, Render render) {
        if (args.positional().isEmpty()) {
            throw Errors.type("do_format() missing required positional argument: 'value'");
        }
        Object value = soft(args.positional().getFirst(), render);
        Args rest = args.skip(1);
        if (!rest.positional().isEmpty() && !rest.named().isEmpty()) {
            throw Errors.jinja("can't handle positional and keyword arguments at the same time");
        }
        return PercentFormat.format(
                value, rest.named().isEmpty() ? PyTuple.of(rest.positional()) : PyDict.ofNames(rest.named()), render);
    }

    private static String join(Bound a, Render render) {
        Iterator<Object> items = Types.iterate(a.get(0));
        AttributePath attribute = AttributePath.of(a.get(2, null));
        String separator = Repr.str(a.get(1, ""), render);
        Text text = new Text(render);
        for (boolean first = true; items.hasNext(); first = false) {
            render.step();
            text.add(first ? "" : separator).add(Repr.str(attribute.get(items.next(), render), render));
        }
        return text.toString();
    }

    private static String urlEncode(Object value, Render render) {
        if (Types.isString(value) || !Types.iterable(value)) {
            return quote(Repr.str(value, render), false, render);
        }
        Text result = new Text(render);
        List<Object> pairs = value instanceof PyDict dict ? dict.items() : Types.list(value, render);
        for (Object pair : pairs) {
            List<Object> parts = Types.list(pair, render);
            if (parts.size() != 2) {
                throw Errors.value("urlencode needs pairs of a key and a value");
            }
            result.add(result.length() == 0 ? "" : "&")
                    .add(quote(Repr.str(parts.get(0), render), true, render))
                    .add("=")
                    .add(quote(Repr.str(parts.get(1), render), true, render));
        }
        return result.toString();
    }

    private static String quote(String text, boolean query, Render render) {
        Text result = new Text(render);
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || c == '/' && !query);
            result.add(plain ? String.valueOf(c) : query && c == ' ' ? "+" : "%%%02X".formatted((int) c));
        }
        return result.toString();
    }

    private static String xmlAttributes(Object value, boolean space, Render render) {
        if (!(value instanceof PyDict dict)) {
            throw value instanceof Undefined undefined
                    ? undefined.failure()
                    : Undefined.member(value, "items", render).failure();
        }
        Text result = new Text(render);
        for (Object key : dict.keys()) {
            Object attribute = dict.get(key);
            if (attribute == null || attribute instanceof Undefined) {
                continue;
            }
            String name = Str.of(key);
            if (name == null) {
                throw Errors.type("expected string or bytes-like object, got " + Repr.quote(Types.name(key)));
            }
            if (BAD_ATTRIBUTE.matcher(name).find()) {
                throw Errors.value("Invalid character in attribute name: " + Repr.quote(name));
            }
            result.add(space || result.length() > 0 ? " " : "")
                    .add(Markup.escape(key, render).text())
                    .add("=\"")
                    .add(Markup.escape(attribute, render).text())
                    .add("\"");
        }
        return result.toString();
    }
}
