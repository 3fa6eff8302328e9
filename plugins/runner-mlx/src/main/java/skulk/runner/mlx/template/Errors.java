package skulk.runner.mlx.template;

import skulk.runner.mlx.template.TemplateRenderException.Kind;

/** Makes the errors that Python and Jinja would raise. */
final class Errors {
    private Errors() {}

    static TemplateRenderException type(String message) {
        return new TemplateRenderException(Kind.TYPE, "TypeError: " + message);
    }

    static TemplateRenderException value(String message) {
        return new TemplateRenderException(Kind.VALUE, "ValueError: " + message);
    }

    static TemplateRenderException overflow(String message) {
        return new TemplateRenderException(Kind.OVERFLOW, "OverflowError: " + message);
    }

    static TemplateRenderException zeroDivision(String message) {
        return new TemplateRenderException(Kind.OTHER, "ZeroDivisionError: " + message);
    }

    static TemplateRenderException key(String message) {
        return new TemplateRenderException(Kind.LOOKUP, "KeyError: " + message);
    }

    static TemplateRenderException index(String message) {
        return new TemplateRenderException(Kind.LOOKUP, "IndexError: " + message);
    }

    static TemplateRenderException assertion(String message) {
        return new TemplateRenderException(Kind.OTHER, "AssertionError: " + message);
    }

    /** An error of Jinja's own, or of the sandbox, whose message stands alone. */
    static TemplateRenderException jinja(String message) {
        return new TemplateRenderException(Kind.OTHER, message);
    }

    static TemplateLimitException limit(String message) {
        return new TemplateLimitException(message);
    }
}
