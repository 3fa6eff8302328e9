package skulk.runner.mlx.template;

import java.util.HashMap;
import java.util.Map;

/** All filters by name. */
final class Filters {
    static final Map<String, Callable> ALL = all();

    private Filters() {}

    private static Map<String, Callable> all() {
        Map<String, Callable> all = new HashMap<>();
        TextFilters.addTo(all);
        LayoutFilters.addTo(all);
        NumberFilters.addTo(all);
        SequenceFilters.addTo(all);
        SelectionFilters.addTo(all);
        OrderFilters.addTo(all);
        return Map.copyOf(all);
    }

    /** Adds a filter with the given parameters, so many of which are required, under each of its names. */
    static void put(Map<String, Callable> all, String names, int required, String parameters, Native.Body body) {
        for (String name : names.split(" ")) {
            all.put(name, Native.function("do_" + name, required, parameters, body));
        }
    }

    static Callable filter(Object name) {
        Callable filter = Str.of(name) == null ? null : ALL.get(Str.of(name));
        if (filter == null) {
            throw unknown("filter", name);
        }
        return filter;
    }

    static Callable test(Object name) {
        Callable test = Str.of(name) == null ? null : Tests.ALL.get(Str.of(name));
        if (test == null) {
            throw unknown("test", name);
        }
        return test;
    }

    private static TemplateRenderException unknown(String kind, Object name) {
        if (name instanceof Undefined undefined) {
            return Errors.jinja("No " + kind + " named Undefined. (" + undefined.message()
                    + "; did you forget to quote the callable name?)");
        }
        String shown = Str.of(name) == null ? Types.name(name) : Repr.quote(Str.of(name));
        return Errors.jinja("No " + kind + " named " + shown + ".");
    }
}
