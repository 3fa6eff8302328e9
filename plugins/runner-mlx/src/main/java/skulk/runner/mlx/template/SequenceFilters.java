package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Filters.put;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/** The filters that take sequences apart and put them together. */
final class SequenceFilters {
    private SequenceFilters() {}

    static void addTo(Map<String, Callable> all) {
        put(all, "default d", 1, "value default_value boolean", (_, a) -> {
            boolean use = a.get(0) instanceof Undefined || a.flag(2, false) && !Types.truthy(a.get(0));
            return use ? a.get(1, "") : a.get(0);
        });
        put(all, "length count", 1, "obj", (_, a) -> Types.length(a.get(0)));
        put(all, "list", 1, "value", (render, a) -> Types.list(a.get(0), render));
        put(all, "first", 1, "seq", (_, a) -> {
            Iterator<Object> items = Types.iterate(a.get(0));
            return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
        });
        put(all, "last", 1, "seq", (render, a) -> {
            Iterator<Object> items = Types.reversed(a.get(0), render);
            return items.hasNext() ? items.next() : new Undefined("No last item, sequence was empty.");
        });
        put(all, "random", 1, "seq", (render, a) -> {
            List<Object> items = Types.list(a.get(0), render);
            return items.isEmpty()
                    ? new Undefined("No random item, sequence was empty.")
                    : items.get(render.draw(items.size()));
        });
        put(all, "reverse", 1, "value", (render, a) -> reverse(a.get(0), render));
        put(all, "items", 1, "value", (_, a) -> items(a.get(0)));
        put(all, "attr", 2, "obj name", (render, a) -> attribute(a.get(0), a.get(1), render));
        put(all, "sum", 1, "iterable attribute start", (render, a) -> sum(a, render));
        put(all, "batch", 2, "value linecount fill_with", (render, a) -> batch(a, render));
        put(all, "slice", 2, "value slices fill_with", (render, a) -> slice(a, render));
    }

    /** An iterator whose work only begins when it is read. */
    static PyIterator lazy(Supplier<Iterator<Object>> source) {
        return PyIterator.generator(new Iterator<>() {
            private Iterator<Object> items;

            private Iterator<Object> items() {
                if (items == null) {
                    items = source.get();
                }
                return items;
            }

            @Override
            public boolean hasNext() {
                return items().hasNext();
            }

            @Override
            public Object next() {
                return items().next();
            }
        });
    }

    private static Object reverse(Object value, Render render) {
        String text = Str.of(value);
        if (text != null) {
            String reversed = new StringBuilder(text).reverse().toString();
            return value instanceof Markup ? new Markup(reversed) : reversed;
        }
        if (value instanceof PyIterator) {
            return Types.list(value, render).reversed();
        }
        if (!Types.iterable(value)) {
            throw Errors.jinja("argument must be iterable");
        }
        String type =
                switch (value) {
                    case List<?> _ -> "list_reverseiterator";
                    case PyRange _ -> "range_iterator";
                    case PyDict _ -> "dict_reversekeyiterator";
                    default -> "reversed";
                };
        return new PyIterator(type, Types.reversed(value, render));
    }

    private static Object items(Object value) {
        return lazy(() -> switch (value) {
            case Undefined _ -> List.<Object>of().iterator();
            case PyDict dict -> dict.items().iterator();
            case null, default -> throw Errors.type("Can only get item pairs from a mapping.");
        });
    }

    private static Object attribute(Object object, Object name, Render render) {
        String text = Str.of(name);
        if (text == null) {
            throw Errors.type("attribute name must be string, not " + Repr.quote(Types.name(name)));
        }
        if (object instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object value = Attributes.attribute(object, text, render);
        return value == Missing.MISSING ? Undefined.member(object, text, render) : value;
    }

    private static Object sum(Bound a, Render render) {
        AttributePath path = AttributePath.of(a.get(1, null));
        Object sum = a.get(2, 0L);
        if (Types.isString(sum)) {
            throw Errors.type("sum() can't sum strings [use ''.join(seq) instead]");
        }
        for (Iterator<Object> items = Types.iterate(a.get(0)); items.hasNext(); ) {
            render.step();
            sum = Operators.binary("+", sum, path.get(items.next(), render), render);
        }
        return sum;
    }

    private static Object batch(Bound a, Render render) {
        Object count = a.get(1);
        Object fill = a.get(2, null);
        return lazy(() -> {
            List<Object> batches = new ArrayList<>();
            List<Object> batch = new ArrayList<>();
            for (Object item : Types.list(a.get(0), render)) {
                if (Compare.equal((long) batch.size(), count, render)) {
                    batches.add(batch);
                    batch = new ArrayList<>();
                }
                batch.add(item);
            }
            if (!batch.isEmpty()) {
                if (fill != null && Compare.ordered((long) batch.size(), count, "<", render)) {
                    long missing = Numbers.index(count) - batch.size();
                    render.elements(missing);
                    for (long i = 0; i < missing; i++) {
                        batch.add(fill);
                    }
                }
                batches.add(batch);
            }
            return batches.iterator();
        });
    }

    private static Object slice(Bound a, Render render) {
        Object fill = a.get(2, null);
        return lazy(() -> {
            List<Object> all = Types.list(a.get(0), render);
            long slices = Numbers.index(a.get(1));
            if (slices == 0) {
                throw Errors.zeroDivision("integer division or modulo by zero");
            }
            long each = Math.floorDiv(all.size(), slices);
            long longer = Math.floorMod(all.size(), slices);
            return new Iterator<>() {
                private long next;
                private int from;

                @Override
                public boolean hasNext() {
                    return next < slices;
                }

                @Override
                public Object next() {
                    if (!hasNext()) {
                        throw new NoSuchElementException();
                    }
                    render.elements(each + 1);
                    int to = (int) (from + each + (next < longer ? 1 : 0));
                    List<Object> slice = new ArrayList<>(all.subList(from, to));
                    if (fill != null && next >= longer) {
                        slice.add(fill);
                    }
                    from = to;
                    next++;
                    return slice;
                }
            };
        });
    }
}
