package skulk.runner.mlx.template;

/**
 * What one rendering may use. A template is data from outside, so each of these ends in a {@link
 * TemplateLimitException} rather than in an exhausted machine.
 *
 * @param outputChars longest result, in Java chars
 * @param workChars sum of the lengths of all intermediate strings and (eight chars an element) lists
 * @param steps loop iterations, statements and elements handled by filters
 * @param depth nesting of macro calls and recursive loops, and of values
 */
public record RenderLimits(int outputChars, long workChars, long steps, int depth) {
    /** 16 Mi chars of output, eight times that of intermediate values, ten million steps, depth 200. */
    public static final RenderLimits DEFAULT = new RenderLimits(16 << 20, 128L << 20, 10_000_000L, 200);

    public RenderLimits {
        if (outputChars < 0 || workChars < 0 || steps < 0 || depth < 1) {
            throw new IllegalArgumentException("limits must be positive");
        }
    }
}
