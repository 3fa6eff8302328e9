package skulk.runner.mlx.template;

/** The variable {@code self}: calls the template's blocks. */
record TemplateSelf() implements PyObject {
    static String renderBlock(String name, Render render) {
        render.enter();
        try {
            return render.template()
                    .block(name)
                    .orElseThrow(() -> Errors.key(Repr.quote(name)))
                    .run(render);
        } finally {
            render.leave();
        }
    }

    @Override
    public Object attribute(String name, Render render) {
        return render.template().block(name).isPresent()
                ? (Callable) (inner, _) -> renderBlock(name, inner)
                : Missing.MISSING;
    }

    @Override
    public String typeName() {
        return "TemplateReference";
    }

    @Override
    public String qualifiedName() {
        return "jinja2.runtime.TemplateReference";
    }
}
