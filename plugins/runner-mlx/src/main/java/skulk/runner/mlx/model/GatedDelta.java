package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.model.Cut.Range;

/**
 * A recurrent layer with the gated delta rule (Yang, Kautz, Hatamizadeh: Gated Delta Networks, 2024): a short causal
 * convolution over queries, keys and values, then per head a matrix that decays, forgets what it holds under the key and
 * takes the value instead.
 *
 * <p>Per position {@code S = g S; S += k ⊗ β (v − kᵀS); y = qᵀS} with keys of unit length. All of a row's operations are
 * done in the same order whatever the other rows are.
 *
 * @param index which of this rank's recurrent layers
 * @param input to queries, keys, values, output gates and to {@code b}, {@code a}
 * @param convolution {@code taps} weights per channel, oldest first
 * @param decay per value head, {@code A_log}
 * @param shift per value head, added to {@code a}
 * @param keyNorm of queries and keys, without weights of its own
 */
record GatedDelta(
        int index,
        Sizes sizes,
        Inputs input,
        float[] convolution,
        float[] decay,
        float[] shift,
        Ops.Norm keyNorm,
        Ops.Norm norm,
        Linear out,
        Scratch scratch) {

    private static final double KEY_EPS = 1e-6;

    /**
     * This rank's share.
     *
     * @param keyHeads query and key heads
     * @param valueHeads a multiple of them, or part of the value heads of a single one
     * @param taps length of the convolution
     */
    record Sizes(int keyHeads, int valueHeads, int keyWidth, int valueWidth, int taps) {
        int keys() {
            return keyHeads * keyWidth;
        }

        int values() {
            return valueHeads * valueWidth;
        }

        /** Channels of the convolution. */
        int channels() {
            return 2 * keys() + values();
        }

        /** Floats of a layer's state: the last inputs of the convolution, then a matrix per value head. */
        int state() {
            return (taps - 1) * channels() + valueHeads * matrix();
        }

        int matrix() {
            return keyWidth * valueWidth;
        }
    }

    /**
     * @param whole sizes over all ranks
     * @param input loaded by the family, which knows how the file orders its rows
     */
    static GatedDelta load(Weights w, String path, Sizes whole, Inputs input, Place place) {
        Shares.Heads heads = w.shares().heads(whole.valueHeads, whole.keyHeads);
        Range keys = heads.kv().times(whole.keyWidth);
        Range values = heads.query().times(whole.valueWidth);
        return new GatedDelta(
                place.index,
                place.sizes,
                input,
                convolution(w, path, whole, List.of(keys, keys.plus(whole.keys()), values.plus(2 * whole.keys()))),
                w.vector(path + ".A_log", whole.valueHeads, heads.query()),
                w.vector(path + ".dt_bias", whole.valueHeads, heads.query()),
                Ops.Norm.plain(whole.keyWidth, KEY_EPS),
                w.norm(path + ".norm", whole.valueWidth, place.eps, 0),
                w.reduced(path + ".out_proj", place.hidden, whole.values(), values, false),
                place.scratch);
    }

    private static float[] convolution(Weights w, String path, Sizes whole, List<Range> ranges) {
        var tensor = w.tensor(path + ".conv1d.weight");
        if (tensor.size() != (long) whole.channels() * whole.taps) {
            throw tensor.wrong("has shape " + tensor.shape() + ", expected " + whole.channels() + " channels of "
                    + whole.taps + " taps");
        }
        float[] all = new float[ranges.stream().mapToInt(Range::size).sum() * whole.taps];
        int at = 0;
        for (Range range : ranges) {
            float[] part = tensor.floats((long) range.from() * whole.taps, range.size() * whole.taps);
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    /** New rows from normed rows; summed over the ranks. */
    Rows run(Ops ops, Rows x) {
        Rows fed = ops.linear(x, input.wide);
        Work work = Work.of(ops, fed, ops.linearExact(x, input.decisive), index, sizes);
        Rows mixed = ops.rows(work.runs[work.slices], sizes.channels());
        Rows gates = ops.rows(mixed.count(), 2 * sizes.valueHeads);
        Arithmetic arithmetic =
                new Arithmetic(ops.backend().rows(), ops.backend().rounds());
        ops.forRows(mixed.count(), row -> prepare(arithmetic, work, row, mixed, gates));
        Rows y = ops.rows(x.count(), sizes.values());
        scratch.prepare(ops.threads(), sizes.matrix() + sizes.valueWidth);
        ops.parallel(work.slices * sizes.valueHeads, (task, worker) -> {
            Buffers buffers = new Buffers(mixed, gates, y, scratch.byWorker[worker]);
            recur(work, task / sizes.valueHeads, task % sizes.valueHeads, buffers);
        });
        work.carryOn(index, sizes);
        ops.forRows(x.count(), row -> finish(arithmetic, fed, y, row));
        return ops.linear(y, out);
    }

    /** Convolution, unit keys and gates of one row. */
    private void prepare(Arithmetic arithmetic, Work work, int row, Rows mixed, Rows gates) {
        int slice = work.sliceOf(row);
        int channels = sizes.channels();
        int from = work.in.at(row + slice * (sizes.taps - 1));
        int to = mixed.at(row);
        for (int c = 0; c < channels; c++) {
            float sum = 0;
            for (int t = 0; t < sizes.taps; t++) {
                sum += convolution[c * sizes.taps + t] * work.in.data()[from + t * work.in.width() + c];
            }
            mixed.data()[to + c] = arithmetic.silu(sum);
        }
        double unit = 1 / Math.sqrt(sizes.keyWidth);
        for (int h = 0; h < sizes.keyHeads; h++) {
            normalise(arithmetic.kernels, mixed.data(), to + h * sizes.keyWidth, unit * unit);
            normalise(arithmetic.kernels, mixed.data(), to + sizes.keys() + h * sizes.keyWidth, unit);
        }
        int last = from + (sizes.taps - 1) * work.in.width() + channels;
        for (int h = 0; h < sizes.valueHeads; h++) {
            float softplus = arithmetic.softplus(work.in.data()[last + sizes.valueHeads + h], shift[h]);
            gates.data()[gates.at(row) + h] = arithmetic.exp(-arithmetic.exp(decay[h]) * softplus);
            gates.data()[gates.at(row) + sizes.valueHeads + h] =
                    arithmetic.kernels.sigmoid(work.in.data()[last + h]);
        }
    }

    private void normalise(RowKernels kernels, float[] x, int at, double scale) {
        kernels.rmsNorm(x, at, sizes.keyWidth, keyNorm.weight(), keyNorm.eps(), x, at);
        float narrow = kernels.narrow((float) scale);
        for (int i = at; i < at + sizes.keyWidth; i++) {
            x[i] = kernels.narrow(x[i] * narrow);
        }
    }

    /** All rows of one head of one sequence. */
    private void recur(Work work, int slice, int head, Buffers b) {
        RecurrentState state = work.states[slice];
        long at = ((long) index * sizes.state() + (sizes.taps - 1) * sizes.channels() + head * sizes.matrix()) * 4;
        MemorySegment.copy(state.memory(), ValueLayout.JAVA_FLOAT, at, b.matrix, 0, sizes.matrix());
        int keyHead = head * sizes.keyHeads / sizes.valueHeads;
        int count = work.runs[slice + 1] - work.runs[slice];
        int covered = count - state.nextPending();
        for (int i = 0; i < count; i++) {
            int row = work.runs[slice] + i;
            int query = b.mixed.at(row) + keyHead * sizes.keyWidth;
            int gate = b.gates.at(row) + head;
            Position p = new Position(
                    b.mixed.data(),
                    query,
                    query + sizes.keys(),
                    b.mixed.at(row) + 2 * sizes.keys() + head * sizes.valueWidth,
                    b.gates.data()[gate],
                    b.gates.data()[gate + sizes.valueHeads]);
            boolean fresh = i >= state.pending();
            step(b.matrix, p);
            if (fresh) {
                int to = b.y.at(work.firstRow(slice) + i - state.pending()) + head * sizes.valueWidth;
                read(b.matrix, p, b.y.data(), to);
            }
            if (i + 1 == state.snapshotRow()) {
                MemorySegment.copy(b.matrix, 0, state.snapshot(), ValueLayout.JAVA_FLOAT, at, sizes.matrix());
            }
            if (i + 1 == covered) {
                MemorySegment.copy(b.matrix, 0, state.memory(), ValueLayout.JAVA_FLOAT, at, sizes.matrix());
            }
        }
    }

    private void step(float[] s, Position p) {
        int width = sizes.valueWidth;
        int delta = sizes.matrix();
        Arrays.fill(s, delta, delta + width, 0);
        for (int i = 0; i < sizes.keyWidth; i++) {
            decayAndRecall(s, i * width, delta, width, p.decay, p.x[p.key + i]);
        }
        for (int j = 0; j < width; j++) {
            s[delta + j] = (p.x[p.value + j] - s[delta + j]) * p.beta;
        }
        for (int i = 0; i < sizes.keyWidth; i++) {
            addScaled(s, i * width, s, delta, width, p.x[p.key + i]);
        }
    }

    private void read(float[] s, Position p, float[] y, int at) {
        Arrays.fill(y, at, at + sizes.valueWidth, 0);
        for (int i = 0; i < sizes.keyWidth; i++) {
            addScaled(y, at, s, i * sizes.valueWidth, sizes.valueWidth, p.x[p.query + i]);
        }
    }

    private static void decayAndRecall(float[] s, int row, int sum, int width, float decay, float key) {
        for (int j = 0; j < width; j++) {
            float value = s[row + j] * decay;
            s[row + j] = value;
            s[sum + j] += value * key;
        }
    }

    private static void addScaled(float[] x, int xAt, float[] y, int yAt, int width, float factor) {
        for (int j = 0; j < width; j++) {
            x[xAt + j] += y[yAt + j] * factor;
        }
    }

    /** Norm of every head, times its gate. */
    private void finish(Arithmetic arithmetic, Rows fed, Rows y, int row) {
        RowKernels kernels = arithmetic.kernels;
        int gate = fed.at(row) + sizes.channels();
        for (int h = 0; h < sizes.valueHeads; h++) {
            int at = y.at(row) + h * sizes.valueWidth;
            for (int i = at; i < at + sizes.valueWidth; i++) {
                y.data()[i] = kernels.narrow(y.data()[i]);
            }
            kernels.rmsNorm(y.data(), at, sizes.valueWidth, norm.weight(), norm.eps(), y.data(), at);
            for (int i = 0; i < sizes.valueWidth; i++) {
                float z = fed.data()[gate + h * sizes.valueWidth + i];
                // the gate acts in floats
                y.data()[at + i] = kernels.narrow(y.data()[at + i] * arithmetic.gate(z));
            }
        }
    }

    /**
     * What is rounded on the way where kernels round.
     *
     * @param rounds values are kept in less than floats
     */
    private record Arithmetic(RowKernels kernels, boolean rounds) {
        float silu(float sum) {
            float x = kernels.narrow(sum);
            return kernels.narrow(x * kernels.sigmoid(x));
        }

        /** In floats. */
        float exp(float x) {
            if (!rounds) {
                return (float) Math.exp(x);
            }
            float[] value = {x};
            kernels.expInto(value, 0, 1, 0);
            return value[0];
        }

        /** {@code log(1 + exp(value + shift))}. */
        float softplus(float value, float shift) {
            if (!rounds) {
                double a = (double) value + shift;
                return (float) (a > 30 ? a : Math.log1p(Math.exp(a)));
            }
            float a = kernels.narrow(value + shift);
            float rest = kernels.narrow((float) Math.log1p(kernels.narrow(exp(-Math.abs(a)))));
            return kernels.narrow(Math.max(a, 0) + rest);
        }

        /** {@code x * sigmoid(x)} in floats. */
        float gate(float x) {
            if (!rounds) {
                return (float) (x / (1 + Math.exp(-x)));
            }
            float y = 1 / (1 + exp(Math.abs(x)));
            return x * (x < 0 ? y : 1 - y);
        }
    }

    /**
     * Input projections.
     *
     * @param wide to queries, keys, values, output gates
     * @param decisive to b and a: a rounding here would stay in the state, so they are computed exactly
     */
    record Inputs(Linear wide, Linear decisive) {}

    /**
     * What layers differ in or share.
     *
     * @param sizes this rank's share
     */
    record Place(int index, int hidden, double eps, Sizes sizes, Scratch scratch) {}

    /** A head's matrix and a vector for every worker, shared by the layers. Prepared by the driver thread. */
    static final class Scratch {
        private float[][] byWorker = new float[0][];

        void prepare(int threads, int size) {
            if (byWorker.length < threads || byWorker[0].length < size) {
                byWorker = new float[threads][size];
            }
        }
    }

    private record Buffers(Rows mixed, Rows gates, Rows y, float[] matrix) {}

    /** Where queries, keys and values of a position lie, and its gates. */
    private record Position(float[] x, int query, int key, int value, float decay, float beta) {}

    /**
     * The rows to run: per slice those that are pending from earlier steps, then the new ones.
     *
     * @param in per slice the inputs that the convolution reaches back to, then the rows to run: channels, b, a
     * @param runs first row to run of each slice, and the number of all at the end
     */
    private record Work(Rows in, int slices, int[] runs, RecurrentState[] states, Step step) {
        static Work of(Ops ops, Rows fed, Rows decisive, int layer, Sizes z) {
            Step step = ops.step();
            int slices = step.slices().size();
            RecurrentState[] states = new RecurrentState[slices];
            int[] runs = new int[slices + 1];
            for (int s = 0; s < slices; s++) {
                states[s] = step.sequence(s).state();
                runs[s + 1] = runs[s] + states[s].pending() + step.starts()[s + 1] - step.starts()[s];
            }
            Rows in = ops.rows(runs[slices] + slices * (z.taps - 1), z.channels() + 2 * z.valueHeads);
            Work work = new Work(in, slices, runs, states, step);
            for (int s = 0; s < slices; s++) {
                work.fill(fed, decisive, layer, s, z);
            }
            return work;
        }

        private void fill(Rows fed, Rows decisive, int layer, int slice, Sizes z) {
            RecurrentState state = states[slice];
            int row = firstIn(slice, z);
            for (int t = 0; t < z.taps - 1; t++, row++) {
                long at = ((long) layer * z.state() + t * z.channels()) * 4;
                MemorySegment.copy(state.memory(), ValueLayout.JAVA_FLOAT, at, in.data(), in.at(row), z.channels());
            }
            System.arraycopy(state.inputs(layer), 0, in.data(), in.at(row), state.pending() * in.width());
            row += state.pending();
            for (int r = step.starts()[slice]; r < step.starts()[slice + 1]; r++, row++) {
                System.arraycopy(fed.data(), fed.at(r), in.data(), in.at(row), z.channels());
                int gates = in.at(row) + z.channels();
                System.arraycopy(decisive.data(), decisive.at(r), in.data(), gates, 2 * z.valueHeads);
            }
        }

        private int firstIn(int slice, Sizes z) {
            return runs[slice] + slice * (z.taps - 1);
        }

        int firstRow(int slice) {
            return step.starts()[slice];
        }

        int sliceOf(int row) {
            int slice = 0;
            while (row >= runs[slice + 1]) {
                slice++;
            }
            return slice;
        }

        /** Keeps the convolution's last inputs, and what pending rows have fed. */
        void carryOn(int layer, Sizes z) {
            for (int s = 0; s < slices; s++) {
                RecurrentState state = states[s];
                int first = firstIn(s, z);
                int covered = runs[s + 1] - runs[s] - state.nextPending();
                copyTail(layer, first + covered, state.memory(), z);
                if (state.snapshotRow() >= 0) {
                    copyTail(layer, first + state.snapshotRow(), state.snapshot(), z);
                }
                int from = in.at(first + z.taps - 1 + covered);
                state.setInputs(layer, Arrays.copyOfRange(in.data(), from, from + state.nextPending() * in.width()));
            }
        }

        private void copyTail(int layer, int row, MemorySegment to, Sizes z) {
            for (int t = 0; t < z.taps - 1; t++) {
                long at = ((long) layer * z.state() + t * z.channels()) * 4;
                MemorySegment.copy(in.data(), in.at(row + t), to, ValueLayout.JAVA_FLOAT, at, z.channels());
            }
        }
    }
}
