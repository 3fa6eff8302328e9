package skulk.runner.mlx.template;

/**
 * Jinja's undefined value: prints as nothing, is false and empty, and fails on every other use.
 *
 * @param message what the failure says
 */
record Undefined(String message) {
    static Undefined variable(String name) {
        return new Undefined(Repr.quote(name) + " is undefined");
    }

    /** The value of an attribute or element that {@code owner} lacks. */
    static Undefined member(Object owner, Object name, Render render) {
        String description = owner == null ? "None" : Types.qualifiedName(owner) + " object";
        String text = Str.of(name);
        return new Undefined(
                text == null
                        ? description + " has no element " + Repr.repr(name, render)
                        : Repr.quote(description) + " has no attribute " + Repr.quote(text));
    }

    /** The value of an attribute that the sandbox keeps from templates. */
    static Undefined unsafe(Object owner, String name) {
        return new Undefined("access to attribute " + Repr.quote(name) + " of " + Repr.quote(Types.name(owner))
                + " object is unsafe.");
    }

    TemplateRenderException failure() {
        return Errors.jinja(message);
    }

    /** All undefined values are equal, whatever they would say. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 1;
    }
}
