package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

/** Access to single values of matrices in tiles. */
public final class Tiles {
    private Tiles() {}

    /** Row {@code row} as floats. */
    public static void row(TileMatrix matrix, int row, float[] out, int at) {
        for (int k = 0; k < matrix.cols(); k++) {
            out[at + k] = ScalarMatrix.value(matrix, row / ROWS, k, row % ROWS);
        }
    }
}
