package skulk.runner.mlx.template;

/** Jinja's {@code joiner}: nothing at its first call, then the separator. */
final class Joiner implements PyObject, Callable {
    private final Object separator;
    private boolean used;

    Joiner(Object separator) {
        this.separator = separator;
    }

    @Override
    public Object call(Render render, Args args) {
        Object result = used ? separator : "";
        used = true;
        return result;
    }

    @Override
    public Object attribute(String name, Render render) {
        return switch (name) {
            case "sep" -> separator;
            case "used" -> used;
            default -> Missing.MISSING;
        };
    }

    @Override
    public String typeName() {
        return "Joiner";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.utils.Joiner";
    }
}
