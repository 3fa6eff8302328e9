package skulk.runner.mlx.template;

/** An object of Jinja's own that templates can look into. */
interface PyObject {
    /** Python's name of the type. */
    String typeName();

    /** Module and name of the type, as error messages give it. */
    String qualifiedName();

    /** The attribute, or {@link Missing#MISSING}. */
    Object attribute(String name, Render render);

    /** What printing it gives. */
    default String display(Render render) {
        return "<" + qualifiedName() + " object>";
    }
}
