package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Multiplies rows of activations with weight matrices, spread over a worker pool. Every output is summed in one fixed
 * order, whatever the number of rows and threads, so results do not depend on the batch.
 */
public final class Product {
    /** Bytes of weights that a task reads, roughly: they stay in a core's cache while rows pass by. */
    private static final long TASK_BYTES = 256 << 10;
    /** Tasks per thread, if the matrices are large enough, so that threads end together. */
    private static final int TASKS_PER_THREAD = 6;

    private final WorkerPool pool;
    private final boolean fast;
    private final FloatProducts floats;
    private final IntProduct ints;
    private final List<IntActivations> rounded = new ArrayList<>();

    /** @param fast round activations where weights have 4 bits */
    public Product(Backend backend, WorkerPool pool, boolean fast) {
        this.pool = pool;
        this.fast = fast;
        this.floats = backend.products(pool.threads());
        this.ints = new IntProduct(backend.integer(), pool.threads());
    }

    /** Computes all units. They must not write what another one reads. */
    public void run(List<Unit> units) {
        run(units, round(units));
    }

    /** The same without rounding activations, whatever was chosen: for outputs that decide, such as a router's. */
    public void runExact(List<Unit> units) {
        run(units, new IntActivations[units.size()]);
    }

    private void run(List<Unit> units, IntActivations[] inputs) {
        int[] sizes = new int[inputs.length];
        int[] ends = new int[inputs.length];
        int tasks = 0;
        for (int i = 0; i < ends.length; i++) {
            TileMatrix matrix = units.get(i).matrix;
            sizes[i] = tilesPerTask(matrix);
            tasks += (matrix.tiles() + sizes[i] - 1) / sizes[i];
            ends[i] = tasks;
        }
        pool.run(tasks, (task, worker) -> {
            int i = 0;
            while (task >= ends[i]) {
                i++;
            }
            Unit unit = units.get(i);
            int from = (task - (i == 0 ? 0 : ends[i - 1])) * sizes[i];
            int to = Math.min(from + sizes[i], unit.matrix.tiles());
            if (inputs[i] == null) {
                floats.compute(unit, from, to, worker);
            } else {
                ints.compute(unit, inputs[i], from, to, worker);
            }
        });
    }

    private int tilesPerTask(TileMatrix matrix) {
        long share = matrix.data().byteSize() / ((long) pool.threads() * TASKS_PER_THREAD);
        long tiles = Math.min(TASK_BYTES, share) / matrix.tileBytes();
        return (int) Math.max(1, tiles / FloatProduct.TILES) * FloatProduct.TILES;
    }

    /** Rounded activations of the units that take them; units with the same input share. */
    private IntActivations[] round(List<Unit> units) {
        IntActivations[] out = new IntActivations[units.size()];
        int used = 0;
        for (int i = 0; i < out.length; i++) {
            Unit unit = units.get(i);
            if (!fast || !IntProduct.takes(unit.matrix.format())) {
                continue;
            }
            for (int j = 0; j < i; j++) {
                if (out[j] != null && unit.sharesInput(units.get(j))) {
                    out[i] = out[j];
                }
            }
            if (out[i] == null) {
                if (used == rounded.size()) {
                    rounded.add(new IntActivations());
                }
                out[i] = rounded.get(used++);
                round(unit, out[i]);
            }
        }
        return out;
    }

    private void round(Unit unit, IntActivations out) {
        out.reset(unit.rows, unit.matrix.cols(), unit.matrix.format().group());
        pool.run(unit.rows, (row, worker) -> ints.round(unit, out, row));
    }

    /**
     * One product: {@code y[i] = matrix · x[i]} for {@code rows} rows.
     *
     * @param xAt first value of the first row, the next row is {@code xStride} further; likewise {@code y}
     */
    public record Unit(TileMatrix matrix, float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {

        private boolean sharesInput(Unit other) {
            return x == other.x
                    && xAt == other.xAt
                    && xStride == other.xStride
                    && rows == other.rows
                    && matrix.cols() == other.matrix.cols()
                    && matrix.format().group() == other.matrix.format().group();
        }
    }

    /** Scratch per thread. */
    static float[][] scratch(int threads, int size) {
        float[][] out = new float[threads][];
        Arrays.setAll(out, i -> new float[size]);
        return out;
    }

    /** Where tile {@code tile} of a row goes. */
    static int outputAt(Unit unit, int row, int tile) {
        return unit.yAt + row * unit.yStride + tile * ROWS;
    }
}
