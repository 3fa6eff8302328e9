package skulk.runner.mlx.kernel;

/**
 * Rows of activations rounded to integers, in the form that {@link IntKernels} multiply with 4-bit weights. Rows lie in
 * blocks of four, values of the four rows side by side; rows beyond the last whole block stand alone.
 *
 * <p>A 4-bit weight cannot be taken out of its word for free, but 16-bit lanes that are only shifted hold {@code V_k =
 * n_k + 16 V_(k+1)} (modulo 2^16), so {@code sum n_k x_k = sum V_k (x_k - 16 x_(k-1))}: the differences are stored here
 * once per row, and the kernels need no masks.
 *
 * <p>All that must fit 16 bits is a lane's final sum, whatever wraps on the way. A lane sums every second four columns
 * of a span of weights; taken about the middle code 8 its sum is at most {@code 8 * sum |x|}. So each span gets the
 * finest step that keeps its sum of magnitudes within {@value #BUDGET}, rather than a number of bits for its largest
 * value: for values spread like a Gaussian that is 2.6 times finer than what the largest value would allow, and large
 * outliers, which make up most of the sum, are represented best.
 *
 * <p>Per span of columns, which is a group of the weights: {@code step}, the value of one unit, and the sum of the
 * unrounded values.
 */
public final class IntActivations {
    /** Rows of a block. */
    static final int BLOCK = 4;

    /** A span whose values are all below counts as zero; its reciprocal would overflow. */
    private static final float TINY = 1e-30f;

    /** Largest sum of magnitudes of a lane before rounding, which may add a half for each of 32 columns: 32767 / 8. */
    private static final int BUDGET = 4095 - 16;

    private int cols;
    private int span;
    private int rows;
    /** Differences, two columns (k and k + 4 of a word of 8) to an int. */
    int[] pairs = new int[0];
    /** Minus eight times the sums, where lanes start; two halves like the pairs. */
    int[] starts = new int[0];

    float[] steps = new float[0];
    float[] sums = new float[0];

    /**
     * Makes room.
     *
     * @param span the weights' group, at most 64
     */
    void reset(int rows, int cols, int span) {
        this.rows = rows;
        this.cols = cols;
        this.span = span;
        if (pairs.length < rows * (cols / 2)) {
            pairs = new int[rows * (cols / 2)];
        }
        if (starts.length < rows * (cols / span)) {
            starts = new int[rows * (cols / span)];
            steps = new float[rows * (cols / span)];
            sums = new float[rows * (cols / span)];
        }
    }

    int cols() {
        return cols;
    }

    /** Columns that share a step. */
    int span() {
        return span;
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
        return first * (cols / span);
    }

    /** The larger sum of magnitudes of a span's two lanes, from sums over every 16th column. */
    static float size(float[] sizes) {
        float low = sizes[0] + sizes[1] + sizes[2] + sizes[3] + sizes[8] + sizes[9] + sizes[10] + sizes[11];
        float high = sizes[4] + sizes[5] + sizes[6] + sizes[7] + sizes[12] + sizes[13] + sizes[14] + sizes[15];
        return Math.max(low, high);
    }

    /** The sum of a span from sums over every 16th column. */
    static float sum(float[] values) {
        float sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    /** The value of one unit in a span of that size. */
    static float step(float size) {
        return size / BUDGET;
    }

    /** What turns values of a span of that size to units. */
    static float inverse(float size) {
        return size < TINY ? 0 : BUDGET / size;
    }

    /**
     * Stores span {@code s} from what {@link #put} would make of its values.
     *
     * @param packed per word of 8 columns its four pairs, at every eighth index
     * @param start minus eight times the lanes' sums, as two halves
     */
    void place(int row, int s, int[] packed, int start, float step, float sum) {
        int width = width(row);
        int first = first(row);
        int pair = pairsAt(first) + s * (span / 2) * width + row - first;
        for (int i = 0; i < span; i += 8) {
            pairs[pair] = packed[i];
            pairs[pair + width] = packed[i + 1];
            pairs[pair + 2 * width] = packed[i + 2];
            pairs[pair + 3 * width] = packed[i + 3];
            pair += 4 * width;
        }
        int at = spansAt(first) + s * width + row - first;
        starts[at] = start;
        steps[at] = step;
        sums[at] = sum;
    }

    /** Stores the rounded values of span {@code s}. */
    void put(int row, int s, int[] q, float step, float sum) {
        int width = width(row);
        int first = first(row);
        int lane = row - first;
        int pair = pairsAt(first) + s * (span / 2) * width + lane;
        int low = 0;
        int high = 0;
        for (int i = 0; i < span; i += 8) {
            int a = q[i];
            int b = q[i + 1];
            int c = q[i + 2];
            int d = q[i + 3];
            int e = q[i + 4];
            int f = q[i + 5];
            int h = q[i + 6];
            int j = q[i + 7];
            pairs[pair] = a & 0xffff | e << 16;
            pairs[pair + width] = b - 16 * a & 0xffff | f - 16 * e << 16;
            pairs[pair + 2 * width] = c - 16 * b & 0xffff | h - 16 * f << 16;
            pairs[pair + 3 * width] = d - 16 * c & 0xffff | j - 16 * h << 16;
            pair += 4 * width;
            low += a + b + c + d;
            high += e + f + h + j;
        }
        int at = spansAt(first) + s * width + lane;
        starts[at] = -8 * low & 0xffff | -8 * high << 16;
        steps[at] = step;
        sums[at] = sum;
    }
}
