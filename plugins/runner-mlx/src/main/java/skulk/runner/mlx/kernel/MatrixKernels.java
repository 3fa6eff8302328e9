package skulk.runner.mlx.kernel;

/** The inner loops of matrix products. Arrays are bounds-checked by use; offsets count elements. */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
public interface MatrixKernels {

    /**
     * Expands columns {@code from..from+count} of a tile to floats: column by column, 16 rows each.
     *
     * @param from a multiple of the format's group
     * @param count a multiple of the format's group
     * @param out receives {@code 16 * count} floats at {@code at}
     */
    void expand(TileMatrix matrix, int tile, int from, int count, float[] out, int at);

    /**
     * Adds to the sums of one row of activations the products with four expanded tiles, column after column:
     * {@code y[16 t + r] += sum over k of w[t][k][r] * x[k]}.
     *
     * @param w four expanded tiles, {@code tileStride} floats apart
     */
    void multiply4x1(float[] w, int tileStride, int count, float[] x, int xAt, float[] y, int yAt);

    /**
     * The same for four rows of activations, {@code xStride} apart, and two tiles.
     *
     * @param yStride floats between the sums of one row of activations and the next
     */
    void multiply2x4(float[] w, int wAt, int tileStride, int count, Rows4 rows);

    /**
     * Two tiles and one row of activations without expanding to memory, the same sums in the same order: 32 outputs at
     * {@code y[yAt]}.
     */
    void multiply2x1(TileMatrix matrix, int tile, float[] x, int xAt, float[] y, int yAt);

    /** Where four rows of activations and their sums lie. */
    final class Rows4 {
        public float[] x;
        public int xAt;
        public int xStride;
        public float[] y;
        public int yAt;
        public int yStride;
    }
}
