package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The methods of Markup: those of str, whose results are safe and whose arguments are escaped. */
final class MarkupMethods {
    /** Methods that put their arguments into the result. */
    private static final Set<String> ESCAPING = Set.of("join", "replace");

    private MarkupMethods() {}

    static Callable bind(Markup self, Native method) {
        return (render, args) -> {
            Args given = ESCAPING.contains(method.name()) ? escaped(method.name(), args, render) : args;
            return safe(method.call(render, given.prepend(self)));
        };
    }

    private static Args escaped(String method, Args args, Render render) {
        List<Object> positional = new ArrayList<>(args.positional());
        if (method.equals("join") && !positional.isEmpty()) {
            List<Object> items = new ArrayList<>();
            Types.list(positional.getFirst(), render).forEach(item -> items.add(Markup.escape(item, render)));
            positional.set(0, items);
        }
        if (method.equals("replace") && positional.size() > 1) {
            positional.set(1, Markup.escape(positional.get(1), render));
        }
        return new Args(positional, args.named());
    }

    private static Object safe(Object result) {
        return switch (result) {
            case String text -> new Markup(text);
            case List<?> list -> {
                List<Object> all = new ArrayList<>();
                list.forEach(item -> all.add(safe(item)));
                yield all;
            }
            case PyTuple tuple -> {
                List<Object> all = new ArrayList<>();
                tuple.items().forEach(item -> all.add(safe(item)));
                yield PyTuple.of(all);
            }
            case null, default -> result;
        };
    }

    /** What only Markup has, or {@link Missing#MISSING}. */
    static Object special(Markup self, String name) {
        return switch (name) {
            case "striptags" -> (Callable) (render, _) -> Html.stripTags(self.text(), render);
            case "unescape" -> (Callable) (_, _) -> Html.unescape(self.text());
            case "format" ->
                (Callable) (render, args) -> {
                    List<Object> positional = new ArrayList<>();
                    args.positional().forEach(value -> positional.add(escapedText(value, render)));
                    Args safe = new Args(positional, args.named());
                    for (String key : args.named().keySet()) {
                        safe = safe.with(key, escapedText(args.named().get(key), render));
                    }
                    return new Markup(StringFormat.format(self.text(), safe, render));
                };
            default -> Missing.MISSING;
        };
    }

    /** Numbers stay as they are, so that a format applies to them. */
    static Object escapedText(Object value, Render render) {
        return Types.isString(value) ? Markup.escape(value, render).text() : value;
    }
}
