package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Native.function;
import static skulk.runner.mlx.template.Native.method;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The methods of lists, tuples, ranges and dicts that change nothing. */
final class CollectionMethods {
    private static final Native INDEX = method("index", 2, "self value start stop", (render, a) -> index(a, render));
    private static final Native COUNT = method("count", 2, "self value", (render, a) -> count(a, render));

    static final Map<String, Native> LIST = Map.of(
            "index", INDEX,
            "count", COUNT,
            "copy", method("copy", 1, "self", (render, a) -> Types.list(a.get(0), render)));

    static final Map<String, Native> TUPLE = Map.of("index", INDEX, "count", COUNT);

    static final Map<String, Native> DICT = Map.of(
            "get",
                    method("get", 2, "self key default", (_, a) -> {
                        Object value = ((PyDict) a.get(0)).get(a.get(1));
                        return value == Missing.MISSING ? a.get(2, null) : value;
                    }),
            "keys", method("keys", 1, "self", (_, a) -> new DictView((PyDict) a.get(0), DictView.Kind.KEYS)),
            "values", method("values", 1, "self", (_, a) -> new DictView((PyDict) a.get(0), DictView.Kind.VALUES)),
            "items", method("items", 1, "self", (_, a) -> new DictView((PyDict) a.get(0), DictView.Kind.ITEMS)),
            "copy",
                    method("copy", 1, "self", (render, a) -> {
                        PyDict dict = (PyDict) a.get(0);
                        render.elements(dict.size());
                        PyDict copy = new PyDict();
                        copy.putAll(dict);
                        return copy;
                    }),
            "fromkeys",
                    function("fromkeys", 2, "self iterable value", (render, a) -> {
                        PyDict dict = new PyDict();
                        Types.list(a.get(1), render).forEach(key -> dict.put(key, a.get(2, null)));
                        return dict;
                    }));

    private CollectionMethods() {}

    private static Object index(Bound a, Render render) {
        List<Object> items = items(a.get(0), render);
        int size = items.size();
        long start = bound(a.integer(2, 0), size);
        long stop = bound(a.integer(3, Integer.MAX_VALUE), size);
        for (long i = start; i < Math.min(stop, size); i++) {
            render.step();
            if (items.get((int) i) == a.get(1) || Compare.equal(items.get((int) i), a.get(1), render)) {
                return i;
            }
        }
        throw Errors.value(
                switch (a.get(0)) {
                    case PyTuple _ -> "tuple.index(x): x not in tuple";
                    default -> Repr.repr(a.get(1), render) + " is not in " + Types.name(a.get(0));
                });
    }

    private static long bound(long index, int size) {
        return index < 0 ? Math.max(0, index + size) : index;
    }

    private static Object count(Bound a, Render render) {
        long count = 0;
        for (Iterator<Object> items = Types.iterate(a.get(0)); items.hasNext(); ) {
            render.step();
            Object item = items.next();
            count += item == a.get(1) || Compare.equal(item, a.get(1), render) ? 1 : 0;
        }
        return count;
    }

    private static List<Object> items(Object value, Render render) {
        return value instanceof PyTuple tuple ? tuple.items() : new ArrayList<>(Types.list(value, render));
    }
}
