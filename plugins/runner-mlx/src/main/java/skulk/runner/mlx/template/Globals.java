package skulk.runner.mlx.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The functions that every template can call. */
final class Globals {
    static final Map<String, Object> ALL = Map.of(
            "range", (Callable) (_, args) -> range(args),
            "dict", (Callable) Globals::dict,
            "namespace", (Callable) Namespace::create,
            "cycler", (Callable) (_, args) -> Cycler.create(args),
            "joiner", Native.function("joiner", 0, "sep", (_, a) -> new Joiner(a.get(0, ", "))),
            "lipsum",
                    (Callable) (_, _) -> {
                        throw Errors.jinja("lipsum is not supported in chat templates");
                    },
            "raise_exception",
                    Native.function("raise_exception", 1, "message", (render, a) -> {
                        throw new TemplateRaisedException(Repr.str(a.get(0), render));
                    }),
            "strftime_now",
                    Native.function(
                            "strftime_now", 1, "format", (render, a) -> Strftime.format(a.text(0), render.now())));

    private Globals() {}

    private static Object range(Args args) {
        List<Object> given = args.positional();
        if (!args.named().isEmpty()) {
            throw Errors.type("range() takes no keyword arguments");
        }
        return switch (given.size()) {
            case 1 -> PyRange.safe(0, Numbers.index(given.get(0)), 1);
            case 2 -> PyRange.safe(Numbers.index(given.get(0)), Numbers.index(given.get(1)), 1);
            case 3 ->
                PyRange.safe(Numbers.index(given.get(0)), Numbers.index(given.get(1)), Numbers.index(given.get(2)));
            default -> throw Errors.type("range expected 1 to 3 arguments, got " + given.size());
        };
    }

    /** Python's {@code dict(...)}. */
    static Object dict(Render render, Args args) {
        if (args.positional().size() > 1) {
            throw Errors.type(
                    "dict expected at most 1 argument, got " + args.positional().size());
        }
        PyDict dict = new PyDict();
        for (Object source : args.positional()) {
            if (source instanceof PyDict entries) {
                render.elements(entries.size());
                dict.putAll(entries);
            } else {
                addPairs(dict, source, render);
            }
        }
        args.named().forEach(dict::put);
        return dict;
    }

    private static void addPairs(PyDict dict, Object source, Render render) {
        int index = 0;
        for (Iterator<Object> pairs = Types.iterate(source); pairs.hasNext(); index++) {
            Object next = pairs.next();
            if (!Types.iterable(next)) {
                throw Errors.type("cannot convert dictionary update sequence element #" + index + " to a sequence");
            }
            List<Object> pair = Types.list(next, render);
            if (pair.size() != 2) {
                throw Errors.value("dictionary update sequence element #" + index + " has length " + pair.size()
                        + "; 2 is required");
            }
            dict.put(pair.get(0), pair.get(1));
        }
    }
}
