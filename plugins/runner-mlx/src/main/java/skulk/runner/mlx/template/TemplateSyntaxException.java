package skulk.runner.mlx.template;

/** The text of a template is not valid Jinja, or uses a tag, filter or test that does not exist. */
public final class TemplateSyntaxException extends TemplateException {
    private static final long serialVersionUID = 1L;

    private final int line;

    TemplateSyntaxException(String message, int line) {
        super(message);
        this.line = line;
    }

    /** The line of the template, counted from one, at which it was found to be wrong. */
    public int line() {
        return line;
    }
}
