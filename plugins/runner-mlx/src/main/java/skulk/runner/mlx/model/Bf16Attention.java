package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.AttentionKernels.Heads;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Attention as MLX's CPU backend evaluates it in BF16: queries times the scale, scores, weights and outputs are each
 * rounded; the softmax of a query is taken over all its positions at once, in floats.
 */
final class Bf16Attention extends Attention {
    private static final int BLOCK = AttentionKernels.BLOCK;

    private final AttentionKernels kernels;
    private final RowKernels rows;
    private final WorkerPool pool;

    Bf16Attention(Backend backend, WorkerPool pool) {
        super(backend, pool);
        this.kernels = backend.attention();
        this.rows = backend.rows();
        this.pool = pool;
    }

    @Override
    void attend(Call call) {
        boolean all = call.out().count() == call.step().rows();
        pool.run(call.out().count(), (output, worker) -> {
            int row = all ? output : call.step().wanted()[output];
            for (int head = 0; head < call.spec().heads(); head++) {
                attend(call, row, head, output);
            }
        });
    }

    private void attend(Call call, int row, int head, int output) {
        AttentionSpec spec = call.spec();
        int position = call.step().positions()[row];
        int low = lowest(spec, position);
        int first = low / BLOCK * BLOCK;
        Heads heads = query(call, row, head, position / BLOCK * BLOCK + BLOCK - first);
        PagedSequence sequence = call.step().sequence(call.step().sliceOf(row));
        KvLayout.Layer layer = call.layer();
        MemorySegment memory = sequence.pool().memory(layer.group());
        int kvHead = head / (spec.heads() / spec.kvHeads());
        for (int p = first; p <= position; p += BLOCK) {
            kernels.scores(memory, call.slotStart(sequence, p) + layer.keys(kvHead), KvType.BF16, heads, p - first);
        }
        weigh(spec, head, heads.scores, low - first, position + 1 - first);
        for (int p = first; p <= position; p += BLOCK) {
            long values = call.slotStart(sequence, p) + layer.values(kvHead);
            kernels.accumulate(memory, values, KvType.BF16, heads, p - first);
        }
        int at = call.out().at(output) + head * spec.valueWidth();
        for (int d = 0; d < spec.valueWidth(); d++) {
            call.out().data()[at + d] = rows.narrow(heads.sums[d]);
        }
    }

    private Heads query(Call call, int row, int head, int positions) {
        AttentionSpec spec = call.spec();
        Heads heads = new Heads();
        heads.queries = 1;
        heads.keyWidth = spec.keyWidth();
        heads.valueWidth = spec.valueWidth();
        heads.valuePadded = spec.valuePadded();
        heads.scoreStride = positions;
        heads.scores = new float[positions];
        heads.sums = new float[spec.valuePadded()];
        heads.query = new float[spec.keyWidth()];
        float scale = rows.narrow((float) spec.scale());
        int at = call.qkv().at(row) + head * spec.keyWidth();
        for (int d = 0; d < heads.keyWidth; d++) {
            heads.query[d] = rows.narrow(call.qkv().data()[at + d] * scale);
        }
        return heads;
    }

    /** Turns scores into rounded weights; those outside {@code low..high} become zero. */
    private void weigh(AttentionSpec spec, int head, float[] scores, int low, int high) {
        Arrays.fill(scores, 0, low, Float.NEGATIVE_INFINITY);
        Arrays.fill(scores, high, scores.length, Float.NEGATIVE_INFINITY);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = low; i < high; i++) {
            scores[i] = capped(scores[i], (float) spec.softcap());
            max = Math.max(max, scores[i]);
        }
        float[] sink = spec.sinks().map(s -> new float[] {s[head]}).orElse(new float[0]);
        for (float value : sink) {
            max = Math.max(max, value);
        }
        float total = rows.expInto(sink, 0, sink.length, max);
        rows.expInto(scores, 0, scores.length, max);
        for (float weight : scores) {
            total += weight;
        }
        float factor = 1 / total;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = rows.narrow(scores[i] * factor);
        }
    }

    private float capped(float score, float cap) {
        return cap > 0 ? rows.narrow(rows.narrow((float) Math.tanh(rows.narrow(score / cap))) * cap) : score;
    }
}
