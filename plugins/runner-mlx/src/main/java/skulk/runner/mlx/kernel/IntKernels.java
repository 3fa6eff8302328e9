package skulk.runner.mlx.kernel;

/**
 * Products of 4-bit affine matrices with activations rounded to 8 bits. Sums within a group are exact integers, and the
 * groups' sums are added in ascending order, so all forms give the same bits.
 */
public interface IntKernels {

    /** Rounds one row into its place. */
    void round(float[] x, int xAt, IntActivations out, int row);

    /**
     * One tile, one row of activations: 16 outputs at {@code y[yAt]}.
     *
     * @param row a row that stands alone
     */
    void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt);

    /**
     * Two tiles, the four rows of a block: outputs of the rows {@code yStride} apart.
     *
     * @param row first row of the block
     */
    void multiply4(TileMatrix matrix, int tile, IntActivations x, int row, Output y);

    /** Where outputs go: the first row at {@code yAt}, the next {@code yStride} further. */
    record Output(float[] y, int yAt, int yStride) {}
}
