package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * What architectures are written in: operations on the rows of the current step. Driver thread only. Results are lent
 * from a stack of buffers; {@link #release} returns all that were lent since {@link #mark}.
 */
final class Ops {
    private static final int ROWS_PER_TASK = 4;

    private final Backend backend;
    private final WorkerPool pool;
    private final Collectives collectives;
    private final RowKernels kernels;
    private final Product product;
    private final Attention attention;
    private final List<float[]> buffers = new ArrayList<>();
    private int lent;
    private Step step;
    private boolean last;

    Ops(Backend backend, WorkerPool pool, Collectives collectives, boolean fast) {
        this.backend = backend;
        this.pool = pool;
        this.collectives = collectives;
        this.kernels = backend.rows();
        this.product = new Product(backend, pool, fast);
        this.attention = backend.rounds() ? new Bf16Attention(backend, pool) : new Attention(backend, pool);
    }

    Backend backend() {
        return backend;
    }

    /**
     * Starts a step; nothing is lent.
     *
     * @param toTheEnd the layers that are run end with the model's last one
     */
    void begin(Step next, boolean toTheEnd) {
        step = next;
        last = toTheEnd;
        lent = 0;
    }

    Step step() {
        return step;
    }

    int mark() {
        return lent;
    }

    void release(int mark) {
        lent = mark;
    }

    /** Rows with undefined content. */
    Rows rows(int count, int width) {
        int size = Math.multiplyExact(count, width);
        if (lent == buffers.size()) {
            buffers.add(new float[size]);
        } else if (buffers.get(lent).length < size) {
            buffers.set(lent, new float[size]);
        }
        return new Rows(buffers.get(lent++), count, width);
    }

    /**
     * The rows of an embedding table for the step's tokens, times a factor.
     *
     * @param range the tokens that this rank's table holds
     */
    Rows embed(TileMatrix table, Cut.Range range, float factor) {
        Rows out = rows(step.rows(), table.cols());
        int[] tokens = step.tokens();
        forRows(out.count(), row -> {
            int at = out.at(row);
            int token = tokens[row] - range.from();
            if (token < 0 || token >= range.size()) {
                Arrays.fill(out.data(), at, at + out.width(), 0);
                return;
            }
            kernels.lookup(table, token, factor, out.data(), at);
        });
        return out;
    }

    /** Joins columns that the ranks hold; rank 0 gets all, the others keep their own. */
    Rows gather(Rows mine, int width, Cut.Range range) {
        if (range.size() == width) {
            return mine;
        }
        if (collectives.rank() != 0) {
            collectives.send(0, mine.data(), 0, mine.count() * mine.width());
            return mine;
        }
        Rows out = rows(mine.count(), width);
        place(out, mine, range.from());
        for (int rank = 1; rank < collectives.ranks(); rank++) {
            Cut.Range theirs = Shares.share(width, rank, collectives.ranks());
            Rows part = rows(mine.count(), theirs.size());
            collectives.receive(rank, part.data(), 0, part.count() * part.width());
            place(out, part, theirs.from());
        }
        return out;
    }

    private static void place(Rows out, Rows part, int col) {
        for (int row = 0; row < out.count(); row++) {
            System.arraycopy(part.data(), part.at(row), out.data(), out.at(row) + col, part.width());
        }
    }

    /** {@code x} through a linear layer, summed over the ranks if it is a partial one. */
    Rows linear(Rows x, Linear linear) {
        Rows y = rows(x.count(), linear.outputs());
        if (x.count() == 0) {
            return y;
        }
        if (backend.rounds()) {
            chain(x, linear, y);
            return y;
        }
        product.run(units(x, linear, y));
        return complete(linear, y);
    }

    /**
     * Sums that round after every addition depend on its order, so ranks do not add up theirs at once: each goes on from
     * the sums of the one before, which holds the columns before, and the last tells the others.
     */
    private void chain(Rows x, Linear linear, Rows y) {
        // MLX adds the bias to the sum of plain weights before it is rounded, and after that with quantised ones
        boolean within = linear.bias().isPresent()
                && linear.parts().stream().noneMatch(part -> part.format().quantised());
        chain(units(x, linear, y), y, within ? linear.bias() : Optional.empty(), linear.partial());
        if (!within) {
            linear.bias().ifPresent(bias -> addBias(y, bias));
        }
    }

    /** Runs products of one's own whose outputs are all of {@code y}, in parts that the ranks hold if {@code partial}. */
    void productsInto(List<Product.Unit> units, Rows y, boolean partial) {
        if (backend.rounds()) {
            chain(units, y, Optional.empty(), partial);
            return;
        }
        product.run(units);
        if (partial) {
            collectives.allReduce(y.data(), 0, y.count() * y.width());
        }
    }

    /** @param start what every row of sums begins with; empty = zeros */
    private void chain(List<Product.Unit> units, Rows y, Optional<float[]> start, boolean partial) {
        int size = y.count() * y.width();
        int last = partial ? collectives.ranks() - 1 : 0;
        int rank = partial ? collectives.rank() : 0;
        Arrays.fill(y.data(), 0, size, 0);
        start.ifPresent(
                values -> forRows(y.count(), row -> System.arraycopy(values, 0, y.data(), y.at(row), values.length)));
        if (rank > 0) {
            collectives.receive(rank - 1, y.data(), 0, size);
        }
        product.run(units);
        if (rank < last) {
            collectives.send(rank + 1, y.data(), 0, size);
            collectives.receive(last, y.data(), 0, size);
        } else {
            for (int other = 0; other < last; other++) {
                collectives.send(other, y.data(), 0, size);
            }
        }
    }

    /** The same in exact arithmetic, for outputs that decide: a router's choice must not flip by rounding. */
    Rows linearExact(Rows x, Linear linear) {
        if (backend.rounds()) {
            return linear(x, linear);
        }
        Rows y = rows(x.count(), linear.outputs());
        product.runExact(units(x, linear, y));
        return complete(linear, y);
    }

    private static List<Product.Unit> units(Rows x, Linear linear, Rows y) {
        List<Product.Unit> units = new ArrayList<>();
        int at = 0;
        for (TileMatrix part : linear.parts()) {
            units.add(new Product.Unit(part, x.data(), 0, x.width(), x.count(), y.data(), at, y.width()));
            at += part.rows();
        }
        return units;
    }

    private Rows complete(Linear linear, Rows y) {
        if (linear.partial()) {
            collectives.allReduce(y.data(), 0, y.count() * y.width());
        }
        linear.bias().ifPresent(bias -> addBias(y, bias));
        return y;
    }

    /** Runs products of one's own. */
    void products(List<Product.Unit> units) {
        if (backend.rounds()) { // they go on from what the outputs hold
            for (Product.Unit unit : units) {
                for (int row = 0; row < unit.rows(); row++) {
                    int at = unit.yAt() + row * unit.yStride();
                    Arrays.fill(unit.y(), at, at + unit.matrix().rows(), 0);
                }
            }
        }
        product.run(units);
    }

    void addBias(Rows y, float[] bias) {
        forRows(y.count(), row -> kernels.addScaled(y.data(), y.at(row), bias, 0, bias.length, 1));
    }

    /** Sums over the ranks in place, in floats. */
    void reduce(Rows x) {
        collectives.allReduce(x.data(), 0, x.count() * x.width());
    }

    /** Keeps all values as values are kept between operations. */
    void narrow(Rows x) {
        for (int i = 0; i < x.count() * x.width(); i++) {
            x.data()[i] = kernels.narrow(x.data()[i]);
        }
    }

    /** Root-mean-square norm of every row, into new rows. */
    Rows rmsNorm(Rows x, Norm norm) {
        Rows out = rows(x.count(), x.width());
        forRows(
                x.count(),
                row -> kernels.rmsNorm(
                        x.data(), x.at(row), x.width(), norm.weight(), norm.eps(), out.data(), out.at(row)));
        return out;
    }

    /** Root-mean-square norm in place of {@code heads} pieces of every row, from column {@code col} on. */
    void rmsNormHeads(Rows x, int col, int heads, Norm norm) {
        int width = norm.weight().length;
        forRows(x.count(), row -> {
            for (int h = 0; h < heads; h++) {
                int at = x.at(row) + col + h * width;
                kernels.rmsNorm(x.data(), at, width, norm.weight(), norm.eps(), x.data(), at);
            }
        });
    }

    /** {@code x += y * factor}. */
    void add(Rows x, Rows y, float factor) {
        forRows(x.count(), row -> kernels.addScaled(x.data(), x.at(row), y.data(), y.at(row), x.width(), factor));
    }

    /** Adds a row of values, times a factor, to one row of {@code x}. */
    void addRow(Rows x, int row, float[] values, int at, float factor) {
        kernels.addScaled(x.data(), x.at(row), values, at, x.width(), factor);
    }

    void scale(Rows x, float factor) {
        if (factor != 1) {
            for (int i = 0; i < x.count() * x.width(); i++) {
                x.data()[i] = kernels.narrow(x.data()[i] * kernels.narrow(factor));
            }
        }
    }

    /** {@code x /= divisor}, which is rounded where values are. */
    void divide(Rows x, float divisor) {
        float narrow = kernels.narrow(divisor);
        for (int i = 0; i < x.count() * x.width() && narrow != 1; i++) {
            x.data()[i] = kernels.narrow(x.data()[i] / narrow);
        }
    }

    /** {@code act(gate) * up} where each row of {@code x} is gate, then up. */
    Rows gate(Rows x, Activation activation) {
        int width = x.width() / 2;
        Rows out = rows(x.count(), width);
        forRows(x.count(), row -> {
            System.arraycopy(x.data(), x.at(row), out.data(), out.at(row), width);
            kernels.gate(activation, out.data(), out.at(row), x.data(), x.at(row) + width, width);
        });
        return out;
    }

    /** Turns {@code heads} heads of {@code width} from column {@code col} on; only the first dimensions as the rope has them. */
    void rope(Rows x, int col, int heads, int width, Rope rope) {
        rope.prepare(step.maxEnd(), backend.rounds());
        forRows(x.count(), row -> {
            for (int h = 0; h < heads; h++) {
                rope.apply(kernels, x.data(), x.at(row) + col + h * width, step.positions()[row]);
            }
        });
    }

    /** Stores keys and values of layer {@code index} and attends with the queries. */
    Rows attention(Rows qkv, int index, AttentionSpec spec) {
        return attention(qkv, index, spec, false);
    }

    /** @param only attends with the queries of the rows whose logits are asked for, and returns these */
    Rows attention(Rows qkv, int index, AttentionSpec spec, boolean only) {
        Rows out = rows(only ? step.wanted().length : qkv.count(), spec.heads() * spec.valueWidth());
        attention.attend(store(qkv, out, index, spec));
        return out;
    }

    /** Only stores keys and values. @return where they are found */
    Attention.Call store(Rows qkv, Rows out, int index, AttentionSpec spec) {
        Attention.Call call = new Attention.Call(step, index, spec, qkv, out);
        attention.store(call);
        return call;
    }

    /** Whether the layers of this step end with the model's last one. */
    boolean last() {
        return last;
    }

    /** The rows whose logits are asked for, moved to the front of {@code x}, which is given up. */
    Rows wanted(Rows x) {
        int[] rows = step.wanted();
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(x.data(), x.at(rows[i]), x.data(), x.at(i), x.width());
        }
        return new Rows(x.data(), rows.length, x.width());
    }

    /** A value as it is kept between operations. */
    float narrow(float value) {
        return kernels.narrow(value);
    }

    int threads() {
        return pool.threads();
    }

    /** Runs work of one's own on the worker threads. */
    void parallel(int tasks, WorkerPool.Job job) {
        pool.run(tasks, job);
    }

    /** Runs a job for every row, several rows per task. */
    void forRows(int count, RowJob job) {
        if (count == 1) {
            job.run(0);
            return;
        }
        pool.run((count + ROWS_PER_TASK - 1) / ROWS_PER_TASK, (task, worker) -> {
            int end = Math.min(count, (task + 1) * ROWS_PER_TASK);
            for (int row = task * ROWS_PER_TASK; row < end; row++) {
                job.run(row);
            }
        });
    }

    /**
     * Weights of a norm.
     *
     * @param weight factors, the offset of families that store {@code weight - 1} already added
     */
    record Norm(float[] weight, double eps) {
        /** Without weights of its own. */
        static Norm plain(int width, double eps) {
            float[] ones = new float[width];
            Arrays.fill(ones, 1);
            return new Norm(ones, eps);
        }
    }

    /** Work on one row, on any worker. */
    interface RowJob {
        void run(int row);
    }
}
