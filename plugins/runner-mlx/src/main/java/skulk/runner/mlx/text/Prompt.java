package skulk.runner.mlx.text;

/**
 * What a model is given to continue.
 *
 * @param text the rendered prompt; "" where the client sent tokens
 * @param tokens its ids, not to be changed
 */
public record Prompt(String text, int[] tokens) {}
