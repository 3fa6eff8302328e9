package skulk.runner.mlx.model;

/**
 * Activations of a step: one row per token, row-major. Lent by {@link Ops} until the layer ends.
 *
 * @param data at least {@code count * width} floats
 */
record Rows(float[] data, int count, int width) {
    int at(int row) {
        return row * width;
    }
}
