package skulk.runner.mlx.template;

/** The template itself refused the conversation with {@code raise_exception}; the message is exactly the template's. */
public final class TemplateRaisedException extends TemplateRenderException {
    private static final long serialVersionUID = 1L;

    TemplateRaisedException(String message) {
        super(Kind.OTHER, message);
    }
}
