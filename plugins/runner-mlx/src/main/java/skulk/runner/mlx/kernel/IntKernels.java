package skulk.runner.mlx.kernel;

/**
 * Products of 4-bit affine matrices with rounded activations. Sums within a span are exact integers, and the spans' sums
 * are added in ascending order, so all forms give the same bits.
 */
public interface IntKernels {

    /** Rounds one row into its place. */
    void round(float[] x, int xAt, IntActivations out, int row);

    /**
     * Scales of two tiles as {@link #multiply4} wants them: per group and tile 16 scales, then 16 biases about the middle
     * code 8.
     *
     * @param out {@code 64 * groups} floats
     */
    void scales(TileMatrix matrix, int tile, float[] out);

    /**
     * One tile, one row of activations: 16 outputs at {@code y[yAt]}.
     *
     * @param row a row that stands alone
     */
    void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt);

    /**
     * Two tiles, the four rows of a block: outputs of the rows {@code yStride} apart.
     *
     * @param scales of these tiles
     * @param row first row of the block
     */
    void multiply4(TileMatrix matrix, int tile, float[] scales, IntActivations x, int row, Output y);

    /** Where outputs go: the first row at {@code yAt}, the next {@code yStride} further. */
    record Output(float[] y, int yAt, int yStride) {}
}
