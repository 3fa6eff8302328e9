package skulk.runner.mlx.model;

/**
 * Rows of logits, reused from step to step. Owned by the driver thread; the decoder writes, the caller may read and
 * overwrite (a sampler works in place) until the next step.
 */
public final class Logits {
    private float[] values = new float[0];
    private int rows;
    private int vocab;

    /** Makes room for {@code rows} rows of {@code vocab} values; their content is undefined. Called by the decoder. */
    public void reset(int rows, int vocab) {
        int size = Math.multiplyExact(rows, vocab);
        if (values.length < size) {
            values = new float[size];
        }
        this.rows = rows;
        this.vocab = vocab;
    }

    /** Number of rows of the last step. */
    public int rows() {
        return rows;
    }

    /** Length of a row. */
    public int vocab() {
        return vocab;
    }

    /** All rows, one after the other; longer than needed, and another array after a {@link #reset} that grows it. */
    public float[] values() {
        return values;
    }

    /** Where row {@code row} starts in {@link #values()}. */
    public int offset(int row) {
        return Math.multiplyExact(row, vocab);
    }

    /** Index of the largest value of a row, the lowest such index on a tie. */
    public int argmax(int row) {
        int start = offset(row);
        int best = 0;
        for (int i = 1; i < vocab; i++) {
            if (values[start + i] > values[start + best]) {
                best = i;
            }
        }
        return best;
    }
}
