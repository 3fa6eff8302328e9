package skulk.runner.mlx.embed;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.AttentionKernels.Heads;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Attention in both directions: every token of a text sees every token of it and no other. A task takes one head of one
 * text, lays its keys and values out as the kernels want them in scratch memory of its thread, and goes through the queries
 * a few at a time.
 */
final class EncoderAttention {
    private static final int BLOCK = AttentionKernels.BLOCK;
    private static final int MAX_QUERIES = 32;

    private final AttentionKernels kernels;
    private final RowKernels rows;
    private final WorkerPool pool;
    private final int heads;
    private final int width;
    private final int valuePadded;
    private final Scratch[] scratch;

    /** @param maxTokens longest text */
    EncoderAttention(Backend backend, WorkerPool pool, NativeMemory memory, EncoderConfig config, int maxTokens) {
        this.kernels = backend.attention();
        this.rows = backend.rows();
        this.pool = pool;
        this.heads = config.heads();
        this.width = config.headWidth();
        this.valuePadded = (width + BLOCK - 1) / BLOCK * BLOCK;
        int positions = padded(maxTokens);
        this.scratch = new Scratch[pool.threads()];
        Arrays.setAll(scratch, i -> new Scratch(positions, memory));
    }

    private static int padded(int tokens) {
        return (tokens + BLOCK - 1) / BLOCK * BLOCK;
    }

    /**
     * Computes {@code out} from {@code qkv}.
     *
     * @param starts first row of every text, and the number of rows at the end
     * @param qkv per row queries, keys, values of all heads
     * @param out per row the values of all heads
     */
    void run(int[] starts, float[] qkv, float[] out) {
        int texts = starts.length - 1;
        pool.run(texts * heads, (task, worker) -> {
            int text = task / heads;
            Call call = new Call(starts[text], starts[text + 1] - starts[text], task % heads, qkv, out);
            attend(call, scratch[worker]);
        });
    }

    private void attend(Call call, Scratch s) {
        store(call, s);
        float scale = (float) (1 / Math.sqrt(width));
        for (int from = 0; from < call.tokens; from += MAX_QUERIES) {
            int count = Math.min(MAX_QUERIES, call.tokens - from);
            s.heads.queries = count;
            for (int q = 0; q < count; q++) {
                int at = call.input(from + q, 0);
                for (int d = 0; d < width; d++) {
                    s.heads.query[q * width + d] = call.qkv[at + d] * scale;
                }
            }
            queries(call, from, s);
        }
    }

    private void store(Call call, Scratch s) {
        long last = (long) (padded(call.tokens) - BLOCK) * valuePadded * Float.BYTES;
        // weights of zero must meet numbers, not what an earlier text left behind
        s.values.asSlice(last, (long) BLOCK * valuePadded * Float.BYTES).fill((byte) 0);
        for (int t = 0; t < call.tokens; t++) {
            long keyBlock = (long) (t / BLOCK) * BLOCK * width * Float.BYTES;
            kernels.storeKey(s.keys, keyBlock, KvType.F32, t % BLOCK, call.qkv, call.input(t, 1), width);
            long valueBlock = (long) (t / BLOCK) * BLOCK * valuePadded * Float.BYTES;
            kernels.storeValue(s.values, valueBlock, KvType.F32, t % BLOCK, call.qkv, call.input(t, 2), width);
        }
    }

    private void queries(Call call, int from, Scratch s) {
        Heads h = s.heads;
        int positions = padded(call.tokens);
        for (int p = 0; p < positions; p += BLOCK) {
            kernels.scores(s.keys, (long) p * width * Float.BYTES, KvType.F32, h, p);
        }
        for (int q = 0; q < h.queries; q++) {
            int at = q * h.scoreStride;
            Arrays.fill(h.scores, at + call.tokens, at + positions, Float.NEGATIVE_INFINITY);
            float max = Float.NEGATIVE_INFINITY;
            for (int i = at; i < at + call.tokens; i++) {
                max = Math.max(max, h.scores[i]);
            }
            s.totals[q] = rows.expInto(h.scores, at, positions, max);
        }
        Arrays.fill(h.sums, 0, h.queries * valuePadded, 0);
        for (int p = 0; p < positions; p += BLOCK) {
            kernels.accumulate(s.values, (long) p * valuePadded * Float.BYTES, KvType.F32, h, p);
        }
        for (int q = 0; q < h.queries; q++) {
            int at = (call.start + from + q) * heads * width + call.head * width;
            float factor = 1 / s.totals[q];
            for (int d = 0; d < width; d++) {
                call.out[at + d] = h.sums[q * valuePadded + d] * factor;
            }
        }
    }

    /** One head of one text. */
    private final class Call {
        private final int start;
        private final int tokens;
        private final int head;
        private final float[] qkv;
        private final float[] out;

        Call(int start, int tokens, int head, float[] qkv, float[] out) {
            this.start = start;
            this.tokens = tokens;
            this.head = head;
            this.qkv = qkv;
            this.out = out;
        }

        /** Where the query (0), key (1) or value (2) of a token starts. */
        int input(int token, int which) {
            return ((start + token) * 3 + which) * heads * width + head * width;
        }
    }

    /** Memory of one thread. */
    private final class Scratch {
        private final Heads heads = new Heads();
        private final float[] totals = new float[MAX_QUERIES];
        private final MemorySegment keys;
        private final MemorySegment values;

        Scratch(int positions, NativeMemory memory) {
            keys = memory.allocate((long) positions * width * Float.BYTES);
            values = memory.allocate((long) positions * valuePadded * Float.BYTES);
            heads.keyWidth = width;
            heads.valueWidth = width;
            heads.valuePadded = valuePadded;
            heads.scoreStride = positions;
            heads.query = new float[MAX_QUERIES * width];
            heads.scores = new float[MAX_QUERIES * positions];
            heads.sums = new float[MAX_QUERIES * valuePadded];
        }
    }
}
