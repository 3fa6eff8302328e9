package skulk.runner.mlx.template;

/** A Jinja namespace: the one object whose attributes a template can set. */
final class Namespace implements PyObject {
    private final PyDict attributes = new PyDict();

    static Namespace create(Render render, Args args) {
        Namespace namespace = new Namespace();
        Object entries = Globals.dict(render, args);
        namespace.attributes.putAll((PyDict) entries);
        return namespace;
    }

    void put(String name, Object value, Render render) {
        render.elements(1);
        attributes.put(name, value);
    }

    @Override
    public Object attribute(String name, Render render) {
        return attributes.get(name);
    }

    @Override
    public String typeName() {
        return "Namespace";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.utils.Namespace";
    }

    @Override
    public String display(Render render) {
        return "<Namespace " + Repr.repr(attributes, render) + ">";
    }
}
