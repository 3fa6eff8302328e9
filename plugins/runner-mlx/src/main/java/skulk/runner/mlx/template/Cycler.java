package skulk.runner.mlx.template;

import java.util.List;

/** Jinja's {@code cycler}: hands out its items in turn. */
final class Cycler implements PyObject {
    private final List<Object> items;
    private int position;

    private Cycler(List<Object> items) {
        this.items = items;
    }

    static Cycler create(Args args) {
        if (args.positional().isEmpty()) {
            throw Errors.jinja("RuntimeError: at least one item has to be provided");
        }
        return new Cycler(args.positional());
    }

    @Override
    public Object attribute(String name, Render render) {
        return switch (name) {
            case "items" -> PyTuple.of(items);
            case "pos" -> (long) position;
            case "current" -> items.get(position);
            case "next" -> (Callable) (_, _) -> next();
            case "reset" ->
                (Callable) (_, _) -> {
                    position = 0;
                    return null;
                };
            default -> Missing.MISSING;
        };
    }

    private Object next() {
        Object item = items.get(position);
        position = (position + 1) % items.size();
        return item;
    }

    @Override
    public String typeName() {
        return "Cycler";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.utils.Cycler";
    }
}
