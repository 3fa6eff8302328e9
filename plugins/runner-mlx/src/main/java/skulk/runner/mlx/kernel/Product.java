package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.util.Arrays;
import java.util.List;

/**
 * Multiplies rows of activations with weight matrices, spread over a worker pool. Every output is summed in ascending
 * order of columns by fused multiply-add, whatever the number of rows and threads, so results do not depend on the batch.
 */
public final class Product {
    /** Tiles that one task expands together: four chains hide the latency of the fused multiply-add. */
    private static final int TILES = 4;
    /** Columns expanded at a time: 4 tiles take 32 KB, and all group sizes divide it. */
    private static final int PANEL = 128;
    /** Rows of activations whose sums a task holds at a time. */
    private static final int ROW_BLOCK = 256;

    private static final int TASK_ROWS = TILES * ROWS;

    private final MatrixKernels kernels;
    private final WorkerPool pool;
    private final Scratch[] scratch;

    public Product(Backend backend, WorkerPool pool) {
        this.kernels = backend.matrix();
        this.pool = pool;
        this.scratch = new Scratch[pool.threads()];
        Arrays.setAll(scratch, i -> new Scratch());
    }

    /** Computes all units. They must not write what another one reads. */
    public void run(List<Unit> units) {
        int[] ends = new int[units.size()];
        int tasks = 0;
        for (int i = 0; i < ends.length; i++) {
            tasks += (units.get(i).matrix.tiles() + TILES - 1) / TILES;
            ends[i] = tasks;
        }
        pool.run(tasks, (task, worker) -> {
            int unit = 0;
            while (task >= ends[unit]) {
                unit++;
            }
            int first = unit == 0 ? 0 : ends[unit - 1];
            compute(units.get(unit), (task - first) * TILES, scratch[worker]);
        });
    }

    private void compute(Unit unit, int tile, Scratch s) {
        for (int from = 0; from < unit.rows; from += ROW_BLOCK) {
            int count = Math.min(ROW_BLOCK, unit.rows - from);
            Arrays.fill(s.sums, 0, count * TASK_ROWS, 0);
            for (int k = 0; k < unit.matrix.cols(); k += PANEL) {
                int width = Math.min(PANEL, unit.matrix.cols() - k);
                expand(unit.matrix, tile, k, width, s);
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
            rows.x = unit.x;
            rows.xAt = unit.xAt + (from + row) * unit.xStride + k;
            rows.xStride = unit.xStride;
            rows.y = s.sums;
            rows.yAt = row * TASK_ROWS;
            rows.yStride = TASK_ROWS;
            kernels.multiply2x4(s.weights, 0, PANEL * ROWS, width, rows);
            rows.yAt += 2 * ROWS;
            kernels.multiply2x4(s.weights, 2 * PANEL * ROWS, PANEL * ROWS, width, rows);
        }
        for (; row < count; row++) {
            int xAt = unit.xAt + (from + row) * unit.xStride + k;
            kernels.multiply4x1(s.weights, PANEL * ROWS, width, unit.x, xAt, s.sums, row * TASK_ROWS);
        }
    }

    private static void store(Unit unit, int tile, int from, int count, Scratch s) {
        int outputs = Math.min(TASK_ROWS, unit.matrix.rows() - tile * ROWS);
        for (int row = 0; row < count; row++) {
            int yAt = unit.yAt + (from + row) * unit.yStride + tile * ROWS;
            System.arraycopy(s.sums, row * TASK_ROWS, unit.y, yAt, outputs);
        }
    }

    /**
     * One product: {@code y[i] = matrix · x[i]} for {@code rows} rows.
     *
     * @param xAt first value of the first row, the next row is {@code xStride} further; likewise {@code y}
     */
    public record Unit(
            TileMatrix matrix, float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {}

    private static final class Scratch {
        private final float[] weights = new float[TILES * PANEL * ROWS];
        private final float[] sums = new float[ROW_BLOCK * TASK_ROWS];
        private final MatrixKernels.Rows4 rows = new MatrixKernels.Rows4();
    }
}
