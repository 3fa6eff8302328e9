package skulk.runner.mlx.template;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/**
 * One compiled chat template: Jinja2 3.1 as Hugging Face's {@code apply_chat_template} sets it up ({@code
 * trim_blocks}, {@code lstrip_blocks}, loop controls, {@code generation} blocks, an immutable sandbox, and its {@code
 * tojson}, {@code raise_exception} and {@code strftime_now}).
 *
 * <p>Compile once, render from any thread: a compiled template is immutable and each rendering has its own state.
 * Values go in as plain Java: {@link Map}, {@link java.util.Collection}, {@link String}, {@link Boolean}, the boxed
 * numbers, {@link java.math.BigInteger}, {@link java.math.BigDecimal} (whole when its scale is zero, as JSON is read)
 * and {@code null} for None.
 */
public final class ChatTemplate {
    private final CompiledTemplate compiled;
    private final Clock clock;
    private final RenderLimits limits;

    private ChatTemplate(CompiledTemplate compiled, Clock clock, RenderLimits limits) {
        this.compiled = compiled;
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * Compiles with the system clock in the default zone and the default limits.
     *
     * @throws TemplateSyntaxException where the source is not valid
     */
    public static ChatTemplate compile(String source) {
        return compile(source, Clock.systemDefaultZone(), RenderLimits.DEFAULT);
    }

    /**
     * @param clock read by {@code strftime_now}, in its own zone
     * @throws TemplateSyntaxException where the source is not valid
     */
    public static ChatTemplate compile(String source, Clock clock, RenderLimits limits) {
        try {
            return new ChatTemplate(TemplateCompiler.compile(new Parser(source).parse()), clock, limits);
        } catch (StackOverflowError e) {
            throw new TemplateSyntaxException("the template is nested too deeply", 1);
        }
    }

    /**
     * Renders one conversation.
     *
     * @throws TemplateRaisedException where the template refused the conversation
     * @throws TemplateLimitException where it would have used too much
     * @throws TemplateRenderException where it failed otherwise
     */
    public String render(Map<String, Object> context) {
        Map<String, Object> variables = new HashMap<>(Globals.ALL);
        context.forEach((name, value) -> variables.put(name, Inputs.convert(name, value, limits.depth())));
        Render render = new Render(compiled, variables, clock, limits);
        try {
            return compiled.render(render);
        } catch (StackOverflowError e) {
            // The depth counter stops recursion in templates; this is left for chains of lazy filters.
            throw new TemplateLimitException("the rendering is nested too deeply");
        }
    }
}
