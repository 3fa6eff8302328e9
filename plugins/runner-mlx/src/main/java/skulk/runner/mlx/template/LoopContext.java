package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The variable {@code loop} of a for loop. */
final class LoopContext implements PyObject, Callable {
    /** Renders the loop again for other items, one level deeper. */
    @FunctionalInterface
    interface Recursion {
        Object render(Object items, int depth);
    }

    private static final Recursion NONE = (_, _) -> {
        throw Errors.type("The loop must have the 'recursive' marker to be called recursively.");
    };

    private final Object iterable;
    private final Recursion recursion;
    private final int depth0;
    private Iterator<Object> source;
    private long index0 = -1;
    private long length = -1;
    private Object after = Missing.MISSING;
    private Object current = Missing.MISSING;
    private Object before = Missing.MISSING;
    private Object lastChanged = Missing.MISSING;

    private LoopContext(Object iterable, Recursion recursion, int depth0) {
        this.iterable = iterable;
        this.recursion = recursion;
        this.depth0 = depth0;
        this.source = Types.iterate(iterable);
    }

    static LoopContext flat(Object iterable) {
        return new LoopContext(iterable, NONE, 0);
    }

    static LoopContext recursive(Object iterable, Recursion recursion, int depth0) {
        return new LoopContext(iterable, recursion, depth0);
    }

    boolean hasNext() {
        return after != Missing.MISSING || source.hasNext();
    }

    Object next() {
        Object item = peek();
        after = Missing.MISSING;
        index0++;
        before = current;
        current = item;
        return item;
    }

    private Object peek() {
        if (after == Missing.MISSING && source.hasNext()) {
            after = source.next();
        }
        return after;
    }

    long length() {
        if (length < 0) {
            if (iterable instanceof PyIterator) {
                List<Object> rest = new ArrayList<>();
                source.forEachRemaining(rest::add);
                source = rest.iterator();
                length = rest.size() + index0 + 1 + (after == Missing.MISSING ? 0 : 1);
            } else {
                length = (long) Types.length(iterable);
            }
        }
        return length;
    }

    /** What iterating over the variable itself gives: the items left, each with the loop. */
    Iterator<Object> rest() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return LoopContext.this.hasNext();
            }

            @Override
            public Object next() {
                return PyTuple.of(LoopContext.this.next(), LoopContext.this);
            }
        };
    }

    @Override
    public Object call(Render render, Args args) {
        if (args.positional().size() != 1 || !args.named().isEmpty()) {
            throw Errors.type("LoopContext.__call__() takes exactly one argument");
        }
        return recursion.render(args.positional().getFirst(), depth0 + 1);
    }

    @Override
    public Object attribute(String name, Render render) {
        return switch (name) {
            case "index" -> index0 + 1;
            case "index0" -> index0;
            case "revindex" -> length() - index0;
            case "revindex0" -> length() - index0 - 1;
            case "first" -> index0 == 0;
            case "last" -> peek() == Missing.MISSING;
            case "length" -> length();
            case "depth" -> depth0 + 1L;
            case "depth0" -> (long) depth0;
            case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : before;
            case "nextitem" -> {
                Object next = peek();
                yield next == Missing.MISSING ? new Undefined("there is no next item") : next;
            }
            case "cycle" -> (Callable) (_, args) -> cycle(args);
            case "changed" -> (Callable) this::changed;
            default -> Missing.MISSING;
        };
    }

    private Object cycle(Args args) {
        if (args.positional().isEmpty()) {
            throw Errors.type("no items for cycling given");
        }
        return args.positional().get((int) (index0 % args.positional().size()));
    }

    private Object changed(Render render, Args args) {
        Object value = PyTuple.of(args.positional());
        boolean changed = lastChanged == Missing.MISSING || !Compare.equal(lastChanged, value, render);
        lastChanged = value;
        return changed;
    }

    @Override
    public String typeName() {
        return "LoopContext";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.runtime.LoopContext";
    }

    @Override
    public String display(Render render) {
        return "<LoopContext " + (index0 + 1) + "/" + length() + ">";
    }
}
