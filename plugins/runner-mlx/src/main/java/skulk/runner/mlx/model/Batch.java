package skulk.runner.mlx.model;

import java.util.List;

/**
 * One step's work, ragged: a prompt chunk of one sequence, one decoded token of another, several draft tokens of a
 * third.
 *
 * @param slices at least one, each of another sequence
 */
public record Batch(List<Slice> slices) {

    public Batch {
        slices = List.copyOf(slices);
        if (slices.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one slice");
        }
    }

    /** Number of token rows over all slices. */
    public int rows() {
        return slices.stream().mapToInt(s -> s.tokens.length).sum();
    }

    /**
     * The tokens that one sequence grows by.
     *
     * @param sequence where they are appended
     * @param tokens at least one token id; the array is not copied and must not change during the step
     * @param logitRows how many of the last positions want logits: 0 for a prompt chunk that is not the last, 1 for
     *     plain decoding, {@code tokens.length} to verify drafts
     */
    public record Slice(KvSequence sequence, int[] tokens, int logitRows) {
        public Slice {
            if (tokens.length == 0) {
                throw new IllegalArgumentException("a slice needs at least one token");
            }
            if (logitRows < 0 || logitRows > tokens.length) {
                throw new IllegalArgumentException(logitRows + " logit rows of " + tokens.length + " tokens");
            }
        }
    }
}
