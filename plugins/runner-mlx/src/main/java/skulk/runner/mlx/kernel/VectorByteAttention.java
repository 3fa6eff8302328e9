package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.B2F;
import static skulk.runner.mlx.kernel.AttentionKernels.BLOCK;
import static skulk.runner.mlx.kernel.Lanes.BYTES;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.N;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import skulk.runner.mlx.kernel.AttentionKernels.Heads;

/** {@link VectorAttention} where numbers are {@link KvType#INT8}. The compiler does not inline helpers of vectors, so each form is spelled out. */
@SuppressWarnings("checkstyle:parameternumber") // as AttentionKernels
final class VectorByteAttention {
    /** Vectors of floats that one of bytes makes: 1 but on machines whose vectors are narrower than the smallest of bytes. */
    private static final int PARTS = BYTES.length() / N;

    private VectorByteAttention() {}

    static void scores(MemorySegment block, long at, Heads heads, int scoreAt) {
        int q = 0;
        for (; q + 4 <= heads.queries; q += 4) {
            for (int lane = 0; lane < BLOCK; lane += N) {
                scores4(block, at, lane, heads, q, scoreAt);
            }
        }
        for (; q < heads.queries; q++) {
            for (int lane = 0; lane < BLOCK; lane += N) {
                scores1(block, at, lane, heads, q, scoreAt);
            }
        }
    }

    private static void scores4(MemorySegment block, long at, int lane, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        float[] querySums = heads.querySums;
        int width = heads.keyWidth;
        int groups = KvType.groups(width);
        int part = PARTS == 1 ? 0 : lane / N % PARTS;
        long from = at + lane - part * N;
        int q0 = q * width;
        FloatVector t0 = FloatVector.zero(F);
        FloatVector t1 = FloatVector.zero(F);
        FloatVector t2 = FloatVector.zero(F);
        FloatVector t3 = FloatVector.zero(F);
        for (int g = 0; g < groups; g++) {
            FloatVector s0 = FloatVector.zero(F);
            FloatVector s1 = FloatVector.zero(F);
            FloatVector s2 = FloatVector.zero(F);
            FloatVector s3 = FloatVector.zero(F);
            int end = Math.min(width, (g + 1) * KvType.GROUP);
            for (int d = g * KvType.GROUP; d < end; d++) {
                FloatVector k =
                        (FloatVector) ByteVector.fromMemorySegment(BYTES, block, from + (long) d * BLOCK, LITTLE_ENDIAN)
                                .convertShape(B2F, F, part);
                s0 = k.fma(FloatVector.broadcast(F, query[q0 + d]), s0);
                s1 = k.fma(FloatVector.broadcast(F, query[q0 + width + d]), s1);
                s2 = k.fma(FloatVector.broadcast(F, query[q0 + 2 * width + d]), s2);
                s3 = k.fma(FloatVector.broadcast(F, query[q0 + 3 * width + d]), s3);
            }
            long scales = at + KvType.scales(width, g) + lane * 4L;
            FloatVector scale = FloatVector.fromMemorySegment(F, block, scales, LITTLE_ENDIAN);
            FloatVector bias = FloatVector.fromMemorySegment(F, block, scales + KvType.SPAN, LITTLE_ENDIAN);
            int sums = q * groups + g;
            t0 = bias.fma(FloatVector.broadcast(F, querySums[sums]), s0.fma(scale, t0));
            t1 = bias.fma(FloatVector.broadcast(F, querySums[sums + groups]), s1.fma(scale, t1));
            t2 = bias.fma(FloatVector.broadcast(F, querySums[sums + 2 * groups]), s2.fma(scale, t2));
            t3 = bias.fma(FloatVector.broadcast(F, querySums[sums + 3 * groups]), s3.fma(scale, t3));
        }
        int out = scoreAt + lane + q * heads.scoreStride;
        t0.intoArray(heads.scores, out);
        t1.intoArray(heads.scores, out + heads.scoreStride);
        t2.intoArray(heads.scores, out + 2 * heads.scoreStride);
        t3.intoArray(heads.scores, out + 3 * heads.scoreStride);
    }

    private static void scores1(MemorySegment block, long at, int lane, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        int width = heads.keyWidth;
        int groups = KvType.groups(width);
        int part = PARTS == 1 ? 0 : lane / N % PARTS;
        long from = at + lane - part * N;
        FloatVector t = FloatVector.zero(F);
        for (int g = 0; g < groups; g++) {
            FloatVector s = FloatVector.zero(F);
            int end = Math.min(width, (g + 1) * KvType.GROUP);
            for (int d = g * KvType.GROUP; d < end; d++) {
                s = ((FloatVector) ByteVector.fromMemorySegment(BYTES, block, from + (long) d * BLOCK, LITTLE_ENDIAN)
                                .convertShape(B2F, F, part))
                        .fma(FloatVector.broadcast(F, query[q * width + d]), s);
            }
            long scales = at + KvType.scales(width, g) + lane * 4L;
            t = s.fma(FloatVector.fromMemorySegment(F, block, scales, LITTLE_ENDIAN), t);
            t = FloatVector.fromMemorySegment(F, block, scales + KvType.SPAN, LITTLE_ENDIAN)
                    .fma(FloatVector.broadcast(F, heads.querySums[q * groups + g]), t);
        }
        t.intoArray(heads.scores, scoreAt + lane + q * heads.scoreStride);
    }

    static void accumulate(MemorySegment block, long at, Heads heads, int scoreAt) {
        int padded = heads.valuePadded;
        for (int g = 0; g < KvType.groups(padded); g++) {
            long scales = at + KvType.scales(padded, g);
            int q = 0;
            for (; q + 4 <= heads.queries; q += 4) {
                accumulate4(block, at, scales, heads, q, g, scoreAt);
            }
            for (; q < heads.queries; q++) {
                accumulate1(block, at, scales, heads, q, g, scoreAt);
            }
        }
    }

    private static void accumulate4(MemorySegment block, long at, long scales, Heads heads, int q, int g, int scoreAt) {
        float[] scaled = heads.scaled;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int stride = heads.scoreStride;
        int weights = scoreAt + q * stride;
        float b0 = ScalarAttention.scaleWeights(block, scales, heads, weights, 0);
        float b1 = ScalarAttention.scaleWeights(block, scales, heads, weights + stride, BLOCK);
        float b2 = ScalarAttention.scaleWeights(block, scales, heads, weights + 2 * stride, 2 * BLOCK);
        float b3 = ScalarAttention.scaleWeights(block, scales, heads, weights + 3 * stride, 3 * BLOCK);
        int end = Math.min(padded, (g + 1) * KvType.GROUP);
        for (int d = g * KvType.GROUP; d < end; d += N) {
            int part = PARTS == 1 ? 0 : d / N % PARTS;
            long from = at + d - part * N;
            int out = q * padded + d;
            FloatVector s0 = FloatVector.fromArray(F, sums, out).add(b0);
            FloatVector s1 = FloatVector.fromArray(F, sums, out + padded).add(b1);
            FloatVector s2 = FloatVector.fromArray(F, sums, out + 2 * padded).add(b2);
            FloatVector s3 = FloatVector.fromArray(F, sums, out + 3 * padded).add(b3);
            for (int p = 0; p < BLOCK; p++) {
                FloatVector v = (FloatVector)
                        ByteVector.fromMemorySegment(BYTES, block, from + (long) p * padded, LITTLE_ENDIAN)
                                .convertShape(B2F, F, part);
                s0 = v.fma(FloatVector.broadcast(F, scaled[p]), s0);
                s1 = v.fma(FloatVector.broadcast(F, scaled[BLOCK + p]), s1);
                s2 = v.fma(FloatVector.broadcast(F, scaled[2 * BLOCK + p]), s2);
                s3 = v.fma(FloatVector.broadcast(F, scaled[3 * BLOCK + p]), s3);
            }
            s0.intoArray(sums, out);
            s1.intoArray(sums, out + padded);
            s2.intoArray(sums, out + 2 * padded);
            s3.intoArray(sums, out + 3 * padded);
        }
    }

    private static void accumulate1(MemorySegment block, long at, long scales, Heads heads, int q, int g, int scoreAt) {
        int padded = heads.valuePadded;
        float bias = ScalarAttention.scaleWeights(block, scales, heads, scoreAt + q * heads.scoreStride, 0);
        int end = Math.min(padded, (g + 1) * KvType.GROUP);
        for (int d = g * KvType.GROUP; d < end; d += N) {
            int part = PARTS == 1 ? 0 : d / N % PARTS;
            long from = at + d - part * N;
            int out = q * padded + d;
            FloatVector s = FloatVector.fromArray(F, heads.sums, out).add(bias);
            for (int p = 0; p < BLOCK; p++) {
                s = ((FloatVector) ByteVector.fromMemorySegment(BYTES, block, from + (long) p * padded, LITTLE_ENDIAN)
                                .convertShape(B2F, F, part))
                        .fma(FloatVector.broadcast(F, heads.scaled[p]), s);
            }
            s.intoArray(heads.sums, out);
        }
    }
}
