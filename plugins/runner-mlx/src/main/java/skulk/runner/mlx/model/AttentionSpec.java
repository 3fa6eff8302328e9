package skulk.runner.mlx.model;

import java.util.Optional;

/**
 * Attention of one layer, this rank's heads.
 *
 * @param heads query heads; a multiple of {@code kvHeads}
 * @param kvHeads key and value heads
 * @param keyWidth length of a query and key head
 * @param valueWidth length of a value head
 * @param scale factor of the scores
 * @param window how many positions back a query sees, itself included; 0 for all
 * @param softcap scores become {@code cap * tanh(score / cap)}; 0 for none
 * @param sinks per query head, the score of a key that has no value
 */
record AttentionSpec(
        int heads,
        int kvHeads,
        int keyWidth,
        int valueWidth,
        double scale,
        int window,
        double softcap,
        Optional<float[]> sinks) {

    /** Plain attention with the usual scale. */
    static AttentionSpec of(int heads, int kvHeads, int width) {
        return new AttentionSpec(heads, kvHeads, width, width, 1 / Math.sqrt(width), 0, 0, Optional.empty());
    }

    AttentionSpec withScale(double value) {
        return new AttentionSpec(heads, kvHeads, keyWidth, valueWidth, value, window, softcap, sinks);
    }

    AttentionSpec withWindow(int value) {
        return new AttentionSpec(heads, kvHeads, keyWidth, valueWidth, scale, value, softcap, sinks);
    }

    AttentionSpec withSoftcap(double value) {
        return new AttentionSpec(heads, kvHeads, keyWidth, valueWidth, scale, window, value, sinks);
    }

    AttentionSpec withSinks(float[] values) {
        return new AttentionSpec(heads, kvHeads, keyWidth, valueWidth, scale, window, softcap, Optional.of(values));
    }

    /** Length of a value head in the cache. */
    int valuePadded() {
        return (valueWidth + 15) / 16 * 16;
    }

    /** Floats of a row of queries, keys and values together. */
    int rowWidth() {
        return heads * keyWidth + kvHeads * (keyWidth + valueWidth);
    }
}
