package skulk.runner.mlx.kernel;

/** Element-wise and row-wise kernels. Offsets count elements. */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
public interface RowKernels {

    /** A row of an embedding table, times a factor. */
    default void lookup(TileMatrix table, int row, float factor, float[] out, int at) {
        Tiles.row(table, row, out, at);
        for (int i = at; i < at + table.cols(); i++) {
            out[i] *= factor;
        }
    }

    /** A value as these kernels keep values between operations: rounded to BF16 or unchanged. */
    default float narrow(float value) {
        return value;
    }

    /** The logistic function. */
    default float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /** {@code out = x / sqrt(mean(x²) + eps) * weight}. {@code out} may be {@code x}. */
    void rmsNorm(float[] x, int xAt, int length, float[] weight, double eps, float[] out, int outAt);

    /** {@code gate = act(gate) * up}. */
    void gate(Activation act, float[] gate, int gateAt, float[] up, int upAt, int length);

    /** {@code x += y * factor}. */
    void addScaled(float[] x, int xAt, float[] y, int yAt, int length, float factor);

    /**
     * Turns scores into weights: {@code s = exp(s - max)}; minus infinity becomes exactly 0.
     *
     * @return the sum of the weights
     */
    float expInto(float[] scores, int at, int length, float max);

    /**
     * Rotates the pairs {@code (x[i], x[half + i])}: rotary position embedding in the half-split form.
     *
     * @param table {@code half} cosines, then {@code half} sines
     */
    void rotate(float[] x, int at, int half, float[] table, int tableAt);
}
