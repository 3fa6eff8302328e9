package skulk.runner.mlx.sample;

/**
 * Which tokens may come next, for one sequence: how grammars and forced tool calls reach the sampler. Used last, after
 * penalties and bias, so that nothing can bring a forbidden token back. Driver thread only.
 */
public interface TokenMask {

    /**
     * Sets the logits of tokens that may not come next to negative infinity. At least one token, an end token if need
     * be, stays allowed.
     *
     * @param logits the row is {@code logits[offset..offset + length)}; ids beyond the tokenizer's vocabulary are not
     *     text and must be forbidden
     */
    void mask(float[] logits, int offset, int length);

    /** The token that was chosen; called once for every token of the sequence, in order. */
    void accept(int token);

    /** Whether nothing may follow any more: the output ends here, without an end token. */
    boolean complete();
}
