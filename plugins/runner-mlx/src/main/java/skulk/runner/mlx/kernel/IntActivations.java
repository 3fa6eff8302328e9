package skulk.runner.mlx.kernel;

/**
 * Rows of activations rounded to {@value #BITS} bits, in the form that {@link IntKernels} multiply with 4-bit weights.
 * Rows lie in blocks of four, values of the four rows side by side; rows beyond the last whole block stand alone.
 *
 * <p>A 4-bit weight cannot be taken out of its word for free, but 16-bit lanes that are only shifted hold {@code V_k =
 * n_k + 16 V_(k+1)} (modulo 2^16), so {@code sum n_k x_k = sum V_k (x_k - 16 x_(k-1))}: the differences are stored here
 * once per row, and the kernels need no masks. A lane's true sum, taken about the middle code 8, is at most {@code 8 *
 * MAX * SPAN / 2} and fits; what wraps on the way does not matter. Short spans allow more bits and fit outliers better;
 * each costs the kernels a conversion to float.
 *
 * <p>Per span of columns: {@code step}, the value of one unit, and the sum of the unrounded values.
 */
public final class IntActivations {
    /** Columns that share a step. */
    static final int SPAN = 32;
    /** Largest rounded value: 8 * MAX * SPAN / 2 fits 16 bits. */
    static final int MAX = 8191 / SPAN;
    /** Bits of a rounded value with its sign. */
    static final int BITS = 9;
    /** A span whose values are all below counts as zero; its reciprocal would overflow. */
    static final float TINY = 1e-30f;
    /** Rows of a block. */
    static final int BLOCK = 4;

    private int cols;
    private int group;
    private int rows;
    /** Differences, two columns (k and k + 4 of a word of 8) to an int. */
    int[] pairs = new int[0];
    /** Minus eight times the sums, where lanes start; two halves like the pairs. */
    int[] starts = new int[0];

    float[] steps = new float[0];
    float[] sums = new float[0];

    /** Makes room. */
    void reset(int rows, int cols, int group) {
        this.rows = rows;
        this.cols = cols;
        this.group = group;
        if (pairs.length < rows * (cols / 2)) {
            pairs = new int[rows * (cols / 2)];
            starts = new int[rows * (cols / SPAN)];
            steps = new float[rows * (cols / SPAN)];
            sums = new float[rows * (cols / SPAN)];
        }
    }

    int cols() {
        return cols;
    }

    int group() {
        return group;
    }

    int rows() {
        return rows;
    }

    /** Rows that lie beside row {@code row}: 4 or 1. */
    int width(int row) {
        return row / BLOCK * BLOCK + BLOCK <= rows ? BLOCK : 1;
    }

    /** First row of the block that holds {@code row}. */
    int first(int row) {
        return row - row % width(row);
    }

    /** Where the pairs of the block that starts at {@code first} are. */
    int pairsAt(int first) {
        return first * (cols / 2);
    }

    /** Where its starts, steps and sums are. */
    int spansAt(int first) {
        return first * (cols / SPAN);
    }
}
