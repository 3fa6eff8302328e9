package skulk.runner.mlx.template;

/** Anything that goes wrong with a chat template; the subtypes say whether its text or its rendering is at fault. */
public abstract sealed class TemplateException extends RuntimeException
        permits TemplateSyntaxException, TemplateRenderException {
    private static final long serialVersionUID = 1L;

    TemplateException(String message) {
        super(message);
    }
}
