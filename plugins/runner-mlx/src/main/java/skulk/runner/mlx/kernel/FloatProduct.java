package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.util.Arrays;
import skulk.runner.mlx.kernel.Product.Unit;

/**
 * Products in floats: weights are expanded to what they stand for and added up by fused multiply-add in ascending order
 * of columns.
 */
final class FloatProduct implements FloatProducts {
    /** Tiles taken together: four chains hide the latency of the fused multiply-add. */
    static final int TILES = 4;
    /** Columns expanded at a time: 4 tiles take 32 KB, and all group sizes divide it. */
    private static final int PANEL = 128;
    /** Rows of activations whose sums a task holds at a time. */
    private static final int ROW_BLOCK = 256;

    /** With more rows it pays to expand weights to memory once for all. */
    private static final int DIRECT_ROWS = 2;

    private static final int STEP_ROWS = TILES * ROWS;

    private final MatrixKernels kernels;
    private final Scratch[] scratch;

    FloatProduct(MatrixKernels kernels, int threads) {
        this.kernels = kernels;
        this.scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch());
    }

    @Override
    public void compute(Unit unit, int from, int to, int worker) {
        if (unit.rows() <= DIRECT_ROWS) {
            for (int tile = from; tile < to; tile += 2) {
                direct(unit, tile, scratch[worker].sums);
            }
            return;
        }
        for (int tile = from; tile < to; tile += TILES) {
            compute(unit, tile, scratch[worker]);
        }
    }

    private void direct(Unit unit, int tile, float[] spare) {
        int outputs = unit.matrix().rows() - tile * ROWS;
        for (int row = 0; row < unit.rows(); row++) {
            int x = unit.xAt() + row * unit.xStride();
            int at = Product.outputAt(unit, row, tile);
            if (outputs >= 2 * ROWS) {
                kernels.multiply2x1(unit.matrix(), tile, unit.x(), x, unit.y(), at);
            } else {
                kernels.multiply2x1(unit.matrix(), tile, unit.x(), x, spare, 0);
                System.arraycopy(spare, 0, unit.y(), at, outputs);
            }
        }
    }

    private void compute(Unit unit, int tile, Scratch s) {
        for (int from = 0; from < unit.rows(); from += ROW_BLOCK) {
            int count = Math.min(ROW_BLOCK, unit.rows() - from);
            Arrays.fill(s.sums, 0, count * STEP_ROWS, 0);
            for (int k = 0; k < unit.matrix().cols(); k += PANEL) {
                int width = Math.min(PANEL, unit.matrix().cols() - k);
                expand(unit.matrix(), tile, k, width, s);
                multiply(unit, from, count, k, width, s);
            }
            store(unit, tile, from, count, s);
        }
    }

    private void expand(TileMatrix matrix, int tile, int k, int width, Scratch s) {
        for (int t = 0; t < TILES; t++) {
            if (tile + t < matrix.tiles()) {
                kernels.expand(matrix, tile + t, k, width, s.weights, t * PANEL * ROWS);
            }
        }
    }

    private void multiply(Unit unit, int from, int count, int k, int width, Scratch s) {
        int row = 0;
        for (; row + 4 <= count; row += 4) {
            MatrixKernels.Rows4 rows = s.rows;
            rows.x = unit.x();
            rows.xAt = unit.xAt() + (from + row) * unit.xStride() + k;
            rows.xStride = unit.xStride();
            rows.y = s.sums;
            rows.yAt = row * STEP_ROWS;
            rows.yStride = STEP_ROWS;
            kernels.multiply2x4(s.weights, 0, PANEL * ROWS, width, rows);
            rows.yAt += 2 * ROWS;
            kernels.multiply2x4(s.weights, 2 * PANEL * ROWS, PANEL * ROWS, width, rows);
        }
        for (; row < count; row++) {
            int xAt = unit.xAt() + (from + row) * unit.xStride() + k;
            kernels.multiply4x1(s.weights, PANEL * ROWS, width, unit.x(), xAt, s.sums, row * STEP_ROWS);
        }
    }

    private static void store(Unit unit, int tile, int from, int count, Scratch s) {
        int outputs = Math.min(STEP_ROWS, unit.matrix().rows() - tile * ROWS);
        for (int row = 0; row < count; row++) {
            int at = Product.outputAt(unit, from + row, tile);
            System.arraycopy(s.sums, row * STEP_ROWS, unit.y(), at, outputs);
        }
    }

    private static final class Scratch {
        private final float[] weights = new float[TILES * PANEL * ROWS];
        private final float[] sums = new float[ROW_BLOCK * STEP_ROWS];
        private final MatrixKernels.Rows4 rows = new MatrixKernels.Rows4();
    }
}
