package skulk.runner.mlx.template;

/** Rendering was stopped because it would have used more than {@link RenderLimits} allows. */
public final class TemplateLimitException extends TemplateRenderException {
    private static final long serialVersionUID = 1L;

    TemplateLimitException(String message) {
        super(Kind.OTHER, message);
    }
}
