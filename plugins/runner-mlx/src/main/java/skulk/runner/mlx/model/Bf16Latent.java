package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.kernel.TileMatrix;

/**
 * Latent attention as MLX's CPU backend evaluates it in BF16: scores of the turned parts are rounded before those of the
 * plain parts are added. Where a sequence has one row in the step, its query is brought into the latent space; where it has
 * more, the keys and values of each head are made from the latent vectors, which is the same but for the rounding. Driver
 * thread, one step.
 */
final class Bf16Latent {
    private static final int BLOCK = AttentionKernels.BLOCK;
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final Ops ops;
    private final LatentAttention layer;
    private final RowKernels kernels;
    private final int heads;
    private final int rank;
    private final int turned;
    private final int plain;
    private final int value;
    private final float scale;

    /** @param turned length of the part of keys that turns */
    Bf16Latent(Ops ops, LatentAttention layer, int turned) {
        this.ops = ops;
        this.layer = layer;
        this.kernels = ops.backend().rows();
        this.heads = layer.spec().heads();
        this.rank = layer.spec().valueWidth();
        this.turned = turned;
        this.plain = layer.embed().getFirst().cols();
        this.value = layer.unembed().getFirst().rows();
        this.scale = kernels.narrow((float) layer.spec().scale());
    }

    /**
     * @param queries of all heads, turned
     * @param keys latent vectors, normed, and turned parts
     * @return per row the values of all heads
     */
    Rows run(Rows queries, Rows keys) {
        AttentionSpec spec = layer.spec();
        Rows qkv = ops.rows(keys.count(), spec.rowWidth());
        for (int row = 0; row < keys.count(); row++) {
            int at = qkv.at(row) + heads * spec.keyWidth();
            System.arraycopy(keys.data(), keys.at(row), qkv.data(), at, spec.keyWidth());
            System.arraycopy(keys.data(), keys.at(row), qkv.data(), at + spec.keyWidth(), rank);
        }
        Rows out = ops.rows(keys.count(), heads * value);
        Attention.Call call = ops.store(qkv, out, layer.index(), spec);
        Step step = ops.step();
        for (int slice = 0; slice < step.slices().size(); slice++) {
            int from = step.starts()[slice];
            int to = step.starts()[slice + 1];
            float[][] cached = cached(call, step.sequence(slice), step.positions()[to - 1] + 1);
            for (int head = 0; head < heads; head++) {
                if (to - from == 1) {
                    absorbed(queries, cached, head, from, out);
                } else {
                    expanded(queries, cached, head, from, to, out);
                }
            }
        }
        return out;
    }

    /** Latent vectors and turned keys of all positions. */
    private float[][] cached(Attention.Call call, PagedSequence sequence, int count) {
        MemorySegment memory = sequence.pool().memory(call.layer().group());
        float[][] out = new float[count][rank + turned];
        for (int p = 0; p < count; p++) {
            long at = call.slotStart(sequence, p);
            for (int d = 0; d < rank + turned; d++) {
                short bits = memory.get(BF16, at + ((long) d * BLOCK + p % BLOCK) * 2);
                out[p][d] = Float.intBitsToFloat(bits << 16);
            }
        }
        return out;
    }

    private void absorbed(Rows queries, float[][] cached, int head, int row, Rows out) {
        int query = queries.at(row) + head * (plain + turned);
        float[] inner = new float[rank];
        Rows latent = multiply(layer.embed().get(head), queries.data(), query);
        for (int c = 0; c < rank; c++) {
            inner[c] = kernels.narrow(latent.data()[latent.at(0) + c] * scale);
        }
        float[] weights = new float[cached.length];
        for (int p = 0; p < weights.length; p++) {
            weights[p] = kernels.narrow(dot(inner, cached[p], 0, rank) + turnedScore(queries, query, cached[p]));
        }
        float[] mixed = mix(weigh(weights), cached, rank);
        Rows result = multiply(layer.unembed().get(head), mixed, 0);
        System.arraycopy(result.data(), result.at(0), out.data(), out.at(row) + head * value, value);
    }

    private void expanded(Rows queries, float[][] cached, int head, int from, int to, Rows out) {
        float[][] keys = keys(layer.embed().get(head), cached);
        float[][] values = new float[cached.length][];
        for (int p = 0; p < cached.length; p++) {
            Rows made = multiply(layer.unembed().get(head), cached[p], 0);
            values[p] = Arrays.copyOfRange(made.data(), made.at(0), made.at(0) + value);
        }
        for (int row = from; row < to; row++) {
            int query = queries.at(row) + head * (plain + turned);
            float[] inner = new float[plain];
            for (int n = 0; n < plain; n++) {
                inner[n] = kernels.narrow(queries.data()[query + n] * scale);
            }
            float[] weights = new float[ops.step().positions()[row] + 1];
            for (int p = 0; p < weights.length; p++) {
                weights[p] = kernels.narrow(dot(inner, keys[p], 0, plain) + turnedScore(queries, query, cached[p]));
            }
            float[] mixed = mix(weigh(weights), values, value);
            System.arraycopy(mixed, 0, out.data(), out.at(row) + head * value, value);
        }
    }

    /** Latent vectors times a matrix that lies the other way round. */
    private float[][] keys(TileMatrix matrix, float[][] cached) {
        boolean rounded = matrix.format().quantised();
        float[] row = new float[plain];
        float[][] out = new float[cached.length][plain];
        for (int c = 0; c < rank; c++) {
            kernels.lookup(matrix, c, 1, row, 0);
            for (int p = 0; p < cached.length; p++) {
                for (int n = 0; n < plain; n++) {
                    float product = cached[p][c] * row[n];
                    out[p][n] = rounded ? kernels.narrow(out[p][n] + kernels.narrow(product)) : out[p][n] + product;
                }
            }
        }
        for (float[] key : out) {
            for (int n = 0; n < plain; n++) {
                key[n] = kernels.narrow(key[n]);
            }
        }
        return out;
    }

    private Rows multiply(TileMatrix matrix, float[] x, int at) {
        Rows in = new Rows(Arrays.copyOfRange(x, at, at + matrix.cols()), 1, matrix.cols());
        Rows y = new Rows(new float[matrix.rows()], 1, matrix.rows());
        ops.products(LatentAttention.perHead(List.of(matrix), in, 0, y, 0));
        return y;
    }

    private float turnedScore(Rows queries, int query, float[] key) {
        float[] inner = new float[turned];
        for (int d = 0; d < turned; d++) {
            inner[d] = kernels.narrow(queries.data()[query + plain + d] * scale);
        }
        return dot(inner, key, rank, turned);
    }

    private float dot(float[] a, float[] b, int at, int length) {
        float sum = 0;
        for (int i = 0; i < length; i++) {
            float product = a[i] * b[at + i];
            sum += product;
        }
        return kernels.narrow(sum);
    }

    private float[] weigh(float[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            max = Math.max(max, score);
        }
        float factor = 1 / kernels.expInto(scores, 0, scores.length, max);
        for (int i = 0; i < scores.length; i++) {
            scores[i] = kernels.narrow(scores[i] * factor);
        }
        return scores;
    }

    private float[] mix(float[] weights, float[][] values, int width) {
        float[] out = new float[width];
        for (int p = 0; p < weights.length; p++) {
            for (int d = 0; d < width; d++) {
                float product = weights[p] * values[p][d];
                out[d] += product;
            }
        }
        for (int d = 0; d < width; d++) {
            out[d] = kernels.narrow(out[d]);
        }
        return out;
    }
}
