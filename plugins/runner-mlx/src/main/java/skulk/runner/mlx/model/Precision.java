package skulk.runner.mlx.model;

import skulk.runner.mlx.model.LoadOptions.Kernels;

/**
 * Where activations are rounded for speed.
 *
 * <p>The measure is the mean divergence (Kullback-Leibler, in nats per token) of the rounded model's next-token
 * distribution from the exact one's, over text that the model itself wrote. Dense models stay below {@link #TOLERANCE}:
 * 0.00001 for a trained one, 0.00004 to 0.0004 for random weights. Mixtures of experts do not (0.018 and 0.020 for
 * random weights): a router near a tie picks another expert. {@code docs/performance.md} has the table.
 *
 * @param large weights are so many that formats made for speed are worth it
 * @param rounds products are computed with rounded activations
 */
record Precision(boolean large, boolean rounds) {
    /** Largest mean divergence, in nats per token, that {@link Kernels#AUTO} takes for speed. */
    static final double TOLERANCE = 0.001;

    /** Models with smaller weights are fast enough to be exact. */
    static final long LARGE_BYTES = 50_000_000;

    /** A matter of the whole model, so that all ranks choose as one would alone. */
    static Precision of(Weights weights, LoadOptions options) {
        float[] whole = {weights.bytes(), weights.mixture() ? 1 : 0};
        options.collectives().allReduce(whole, 0, whole.length);
        boolean large = whole[0] > LARGE_BYTES;
        boolean chosen = large && whole[1] == 0;
        return new Precision(large, options.kernels() == Kernels.FAST || options.kernels() == Kernels.AUTO && chosen);
    }

    /** For the log. */
    String words() {
        return rounds ? ", 4-bit weights with rounded activations" : ", exact";
    }
}
