package skulk.runner.mlx.template;

/**
 * A valid template failed on these values. The message is Jinja's; where Python itself would have failed it starts
 * with Python's name of the error, as in {@code TypeError: can only concatenate str (not "list") to str}.
 */
public sealed class TemplateRenderException extends TemplateException
        permits TemplateRaisedException, TemplateLimitException {
    private static final long serialVersionUID = 1L;

    /** What failed, so that the operations that Jinja lets recover from an error can tell it apart. */
    enum Kind {
        TYPE,
        VALUE,
        LOOKUP,
        OVERFLOW,
        OTHER
    }

    private final Kind kind;
    private int line;

    TemplateRenderException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }

    /** The line of the statement that failed, counted from one; zero where it is not known. */
    public final int line() {
        return line;
    }

    /** Notes the innermost statement: the first call wins. */
    final void at(int statementLine) {
        if (line == 0) {
            line = statementLine;
        }
    }
}
