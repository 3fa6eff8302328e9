package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.AttentionKernels.Heads;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Attention over the paged cache. A task takes a few query vectors of one sequence and as many key/value heads as still give every thread a task. Positions are
 * taken in chunks that lie at fixed places, each with a softmax of its own, and merged in order; so a row's result does
 * not depend on which rows share its task.
 */
sealed class Attention permits Bf16Attention {
    private static final int BLOCK = AttentionKernels.BLOCK;
    private static final int CHUNK = 256;
    private static final int MAX_QUERIES = 32;

    private final AttentionKernels kernels;
    private final RowKernels rowKernels;
    private final WorkerPool pool;
    private final Workspace[] scratch;

    Attention(Backend backend, WorkerPool pool) {
        this.kernels = backend.attention();
        this.rowKernels = backend.rows();
        this.pool = pool;
        this.scratch = new Workspace[pool.threads()];
        Arrays.setAll(scratch, i -> new Workspace());
    }

    /** Writes the keys and values of a step into the cache. */
    void store(Call call) {
        pool.run(call.step.rows(), (row, worker) -> {
            Step step = call.step;
            int position = step.positions()[row];
            PagedSequence sequence = step.sequence(step.sliceOf(row));
            AttentionSpec spec = call.spec;
            KvLayout.Layer layer = call.layer();
            MemorySegment memory = sequence.pool().memory(layer.group());
            KvType type = sequence.pool().layout().type();
            long slot = call.slotStart(sequence, position);
            int key = call.qkv.at(row) + spec.heads() * spec.keyWidth();
            int value = key + spec.kvHeads() * spec.keyWidth();
            for (int h = 0; h < spec.kvHeads(); h++) {
                kernels.storeKey(
                        memory, slot + layer.keys(h), type, position % BLOCK, call.qkv.data(), key, spec.keyWidth());
                kernels.storeValue(
                        memory,
                        slot + layer.values(h),
                        type,
                        position % BLOCK,
                        call.qkv.data(),
                        value,
                        spec.valueWidth());
                key += spec.keyWidth();
                value += spec.valueWidth();
            }
        });
    }

    /** Computes {@code call.out} from the queries and the cache. */
    void attend(Call call) {
        AttentionSpec spec = call.spec;
        int tile = rowsPerTask(spec.heads() / spec.kvHeads());
        Step step = call.step;
        int slices = step.slices().size();
        int[] ends = new int[slices];
        int tiles = 0;
        int most = 1;
        for (int i = 0; i < slices; i++) {
            int rows = step.starts()[i + 1] - call.first(i);
            tiles += (rows + tile - 1) / tile;
            most = Math.max(most, Math.min(rows, tile));
            ends[i] = tiles;
        }
        int heads = headsPerTask(spec, tiles, most);
        int parts = (spec.kvHeads() + heads - 1) / heads;
        pool.run(tiles * parts, (task, worker) -> {
            int at = task / parts;
            int slice = 0;
            while (at >= ends[slice]) {
                slice++;
            }
            int from = call.first(slice) + (at - (slice == 0 ? 0 : ends[slice - 1])) * tile;
            int to = Math.min(from + tile, step.starts()[slice + 1]);
            int head = task % parts * heads;
            attend(call, new Part(slice, from, to, head, Math.min(head + heads, spec.kvHeads())), scratch[worker]);
        });
    }

    /** Kernels take four query vectors at once: as many rows as give a multiple of them, if there is room. */
    private static int rowsPerTask(int group) {
        int rows = Math.max(1, MAX_QUERIES / group);
        return group % 4 == 0 || rows < 4 ? rows : rows / 4 * 4;
    }

    /** Heads that lie side by side, as long as no thread goes without a task and their scores stay in the cache. */
    private int headsPerTask(AttentionSpec spec, int tiles, int rows) {
        int group = spec.heads() / spec.kvHeads();
        int forEachThread = Math.max(1, spec.kvHeads() * tiles / pool.threads());
        return Math.clamp(MAX_QUERIES / (group * rows), 1, Math.min(spec.kvHeads(), forEachThread));
    }

    /** Rows {@code from..to} of a slice, key/value heads {@code head..end}. */
    private record Part(int slice, int from, int to, int head, int end) {}

    private void attend(Call call, Part part, Workspace space) {
        AttentionSpec spec = call.spec;
        for (int head = part.head; head < part.end; head++) {
            Scratch s = space.of(head - part.head);
            s.prepare(spec, part.to - part.from);
            loadQueries(call, head, part.from, part.to, s);
        }
        int first = lowest(spec, call.step.positions()[part.from]) / BLOCK * BLOCK;
        int end = call.step.positions()[part.to - 1] + 1;
        for (int chunk = first / CHUNK * CHUNK; chunk < end; chunk += CHUNK) {
            int start = Math.max(first, chunk);
            int stop = Math.min(chunk + CHUNK, (end + BLOCK - 1) / BLOCK * BLOCK);
            chunk(call, part, new Span(start, stop), space);
        }
        for (int head = part.head; head < part.end; head++) {
            finish(call, head, call.outputOf(part.slice, part.from), space.of(head - part.head));
        }
    }

    static int lowest(AttentionSpec spec, int position) {
        return spec.window() == 0 ? 0 : Math.max(0, position - spec.window() + 1);
    }

    private static void loadQueries(Call call, int kvHead, int from, int to, Scratch s) {
        AttentionSpec spec = call.spec;
        int group = spec.heads() / spec.kvHeads();
        float scale = (float) spec.scale();
        float[] query = s.heads.query;
        int q = 0;
        for (int row = from; row < to; row++) {
            int at = call.qkv.at(row) + kvHead * group * spec.keyWidth();
            for (int i = 0; i < group * spec.keyWidth(); i++) {
                query[q++] = call.qkv.data()[at + i] * scale;
            }
        }
        if (call.step.sequence(0).pool().layout().type() == KvType.INT8) {
            s.heads.sumQueries();
        }
        for (int i = 0; i < s.heads.queries; i++) {
            int head = kvHead * group + i % group;
            s.max[i] = spec.sinks().isPresent() ? spec.sinks().get()[head] : Float.NEGATIVE_INFINITY;
            s.weight[i] = spec.sinks().isPresent() ? 1 : 0;
        }
    }

    private void chunk(Call call, Part part, Span span, Workspace space) {
        PagedSequence sequence = call.step.sequence(part.slice);
        KvLayout.Layer layer = call.layer();
        MemorySegment memory = sequence.pool().memory(layer.group());
        KvType type = sequence.pool().layout().type();
        for (int p = span.start; p < span.stop; p += BLOCK) {
            long at = call.slotStart(sequence, p);
            for (int head = part.head; head < part.end; head++) {
                Heads heads = space.of(head - part.head).heads;
                kernels.scores(memory, at + layer.keys(head), type, heads, p - span.start);
            }
        }
        for (int head = part.head; head < part.end; head++) {
            weigh(call, part, span, space.of(head - part.head));
        }
        for (int p = span.start; p < span.stop; p += BLOCK) {
            long at = call.slotStart(sequence, p);
            for (int head = part.head; head < part.end; head++) {
                Heads heads = space.of(head - part.head).heads;
                kernels.accumulate(memory, at + layer.values(head), type, heads, p - span.start);
            }
        }
        for (int head = part.head; head < part.end; head++) {
            merge(space.of(head - part.head));
        }
    }

    private void weigh(Call call, Part part, Span span, Scratch s) {
        AttentionSpec spec = call.spec;
        int group = spec.heads() / spec.kvHeads();
        for (int q = 0; q < s.heads.queries; q++) {
            int position = call.step.positions()[part.from + q / group];
            weigh(spec, q, lowest(spec, position) - span.start, position + 1 - span.start, span.stop - span.start, s);
        }
        Arrays.fill(s.heads.sums, 0, s.heads.queries * s.heads.valuePadded, 0);
    }

    /** Turns the scores of one query vector into weights; those outside {@code low..high} become zero. */
    private void weigh(AttentionSpec spec, int q, int low, int high, int length, Scratch s) {
        float[] scores = s.heads.scores;
        int at = q * s.heads.scoreStride;
        int from = Math.clamp(low, 0, length);
        int to = Math.clamp(high, from, length);
        Arrays.fill(scores, at, at + from, Float.NEGATIVE_INFINITY);
        Arrays.fill(scores, at + to, at + length, Float.NEGATIVE_INFINITY);
        if (spec.softcap() > 0) {
            for (int i = at + from; i < at + to; i++) {
                scores[i] = (float) (spec.softcap() * Math.tanh(scores[i] / spec.softcap()));
            }
        }
        float max = Float.NEGATIVE_INFINITY;
        for (int i = at + from; i < at + to; i++) {
            max = Math.max(max, scores[i]);
        }
        s.chunkMax[q] = max;
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(scores, at, at + length, 0);
        } else {
            s.chunkWeight[q] = rowKernels.expInto(scores, at, length, max);
        }
    }

    private void merge(Scratch s) {
        int width = s.heads.valuePadded;
        for (int q = 0; q < s.heads.queries; q++) {
            if (s.chunkMax[q] == Float.NEGATIVE_INFINITY) {
                continue;
            }
            float max = Math.max(s.max[q], s.chunkMax[q]);
            float old = (float) Math.exp(s.max[q] - max);
            float fresh = (float) Math.exp(s.chunkMax[q] - max);
            s.weight[q] = s.weight[q] * old + s.chunkWeight[q] * fresh;
            for (int d = q * width; d < (q + 1) * width; d++) {
                s.total[d] = s.total[d] * old + s.heads.sums[d] * fresh;
            }
            s.max[q] = max;
        }
    }

    private static void finish(Call call, int kvHead, int out, Scratch s) {
        AttentionSpec spec = call.spec;
        int group = spec.heads() / spec.kvHeads();
        for (int q = 0; q < s.heads.queries; q++) {
            int at = call.out.at(out + q / group) + (kvHead * group + q % group) * spec.valueWidth();
            float factor = 1 / s.weight[q];
            for (int d = 0; d < spec.valueWidth(); d++) {
                call.out.data()[at + d] = s.total[q * s.heads.valuePadded + d] * factor;
            }
        }
    }

    /**
     * Attention of one layer in one step.
     *
     * @param index which of this rank's layers
     * @param qkv queries, keys, values, already turned
     * @param out heads times value width, of all rows or only of those whose logits are asked for
     */
    record Call(Step step, int index, AttentionSpec spec, Rows qkv, Rows out) {
        KvLayout.Layer layer() {
            return step.sequence(0).pool().layout().layers().get(index);
        }

        /** The first row of a slice whose output is computed. */
        int first(int slice) {
            int end = step.starts()[slice + 1];
            return out.count() == step.rows()
                    ? step.starts()[slice]
                    : end - step.slices().get(slice).logitRows();
        }

        /** Where the output of a row goes. */
        int outputOf(int slice, int row) {
            if (out.count() == step.rows()) {
                return row;
            }
            int before = 0;
            for (int i = 0; i < slice; i++) {
                before += step.slices().get(i).logitRows();
            }
            return before + row - first(slice);
        }

        long slotStart(PagedSequence sequence, int position) {
            KvLayout.Layer layer = layer();
            long slotBytes =
                    sequence.pool().layout().groups().get(layer.group()).slotBytes();
            return sequence.slot(layer.group(), position) * slotBytes + layer.offset();
        }
    }

    /** Positions {@code start..stop}. */
    private record Span(int start, int stop) {}

    /** One thread's. */
    private static final class Workspace {
        private final List<Scratch> heads = new ArrayList<>();

        /** Of one of the heads of a task. */
        Scratch of(int index) {
            while (heads.size() <= index) {
                heads.add(new Scratch());
            }
            return heads.get(index);
        }
    }

    private static final class Scratch {
        private final Heads heads = new Heads();
        private float[] total = new float[0];
        private float[] max = new float[0];
        private float[] weight = new float[0];
        private float[] chunkMax = new float[0];
        private float[] chunkWeight = new float[0];

        void prepare(AttentionSpec spec, int rows) {
            int queries = rows * (spec.heads() / spec.kvHeads());
            heads.queries = queries;
            heads.keyWidth = spec.keyWidth();
            heads.valueWidth = spec.valueWidth();
            heads.valuePadded = spec.valuePadded();
            heads.scoreStride = CHUNK;
            if (max.length < queries) {
                max = new float[queries];
                weight = new float[queries];
                chunkMax = new float[queries];
                chunkWeight = new float[queries];
                heads.scores = new float[queries * CHUNK];
            }
            if (heads.query.length < queries * spec.keyWidth()) {
                heads.query = new float[queries * spec.keyWidth()];
            }
            int sums = queries * heads.valuePadded;
            if (total.length < sums) {
                total = new float[sums];
                heads.sums = new float[sums];
            }
            Arrays.fill(total, 0, sums, 0);
        }
    }
}
