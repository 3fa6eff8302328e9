package skulk.runner.mlx.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.Predicate;

/** The lazy filters map, select, reject, selectattr and rejectattr. */
final class SelectionFilters {
    private SelectionFilters() {}

    static void addTo(Map<String, Callable> all) {
        all.put("map", (render, args) -> map(value("map", args), args.skip(1), render));
        all.put("select", (render, args) -> select(value("select", args), args.skip(1), false, true, render));
        all.put("reject", (render, args) -> select(value("reject", args), args.skip(1), false, false, render));
        all.put("selectattr", (render, args) -> select(value("selectattr", args), args.skip(1), true, true, render));
        all.put("rejectattr", (render, args) -> select(value("rejectattr", args), args.skip(1), true, false, render));
    }

    private static Object value(String name, Args args) {
        if (args.positional().isEmpty()) {
            throw Errors.type("do_" + name + "() missing required positional argument: 'value'");
        }
        return args.positional().getFirst();
    }

    /** Jinja does not even look at the arguments when there is nothing to work on. */
    private static Object map(Object value, Args args, Render render) {
        return SequenceFilters.lazy(() -> {
            if (!Types.truthy(value)) {
                return List.<Object>of().iterator();
            }
            Function<Object, Object> mapping = mapping(args, render);
            Iterator<Object> items = Types.iterate(value);
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return items.hasNext();
                }

                @Override
                public Object next() {
                    render.step();
                    return mapping.apply(items.next());
                }
            };
        });
    }

    private static Function<Object, Object> mapping(Args args, Render render) {
        if (args.positional().isEmpty() && args.named().containsKey("attribute")) {
            for (String name : args.named().keySet()) {
                if (!name.equals("attribute") && !name.equals("default")) {
                    throw Errors.jinja("Unexpected keyword argument " + Repr.quote(name));
                }
            }
            AttributePath path = AttributePath.of(args.named().get("attribute"));
            Object otherwise = args.named().get("default");
            return item -> path.get(item, otherwise, render);
        }
        if (args.positional().isEmpty()) {
            throw Errors.jinja("map requires a filter argument");
        }
        Args rest = args.skip(1);
        Object name = args.positional().getFirst();
        return item -> Filters.filter(name).call(render, rest.prepend(item));
    }

    private static Object select(Object value, Args args, boolean attribute, boolean wanted, Render render) {
        return SequenceFilters.lazy(() -> {
            if (!Types.truthy(value)) {
                return List.<Object>of().iterator();
            }
            Predicate<Object> test = predicate(args, attribute, render);
            return new Selected(Types.iterate(value), item -> test.test(item) == wanted, render);
        });
    }

    private static Predicate<Object> predicate(Args args, boolean attribute, Render render) {
        if (attribute && args.positional().isEmpty()) {
            throw Errors.jinja("Missing parameter for attribute name");
        }
        AttributePath path = attribute ? AttributePath.of(args.positional().getFirst()) : AttributePath.of(null);
        int offset = attribute ? 1 : 0;
        if (args.positional().size() <= offset) {
            return item -> Types.truthy(path.get(item, render));
        }
        Object name = args.positional().get(offset);
        Args rest = args.skip(offset + 1);
        return item -> Types.truthy(Filters.test(name).call(render, rest.prepend(path.get(item, render))));
    }

    /** The items of another iterator that pass a test. */
    private static final class Selected implements Iterator<Object> {
        private final Iterator<Object> source;
        private final Predicate<Object> test;
        private final Render render;
        private Object found = Missing.MISSING;

        Selected(Iterator<Object> source, Predicate<Object> test, Render render) {
            this.source = source;
            this.test = test;
            this.render = render;
        }

        @Override
        public boolean hasNext() {
            while (found == Missing.MISSING && source.hasNext()) {
                render.step();
                Object item = source.next();
                if (test.test(item)) {
                    found = item;
                }
            }
            return found != Missing.MISSING;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            Object item = found;
            found = Missing.MISSING;
            return item;
        }
    }
}
