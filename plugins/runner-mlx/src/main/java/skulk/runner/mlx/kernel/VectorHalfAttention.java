package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;
import static skulk.runner.mlx.kernel.AttentionKernels.BLOCK;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.HALF;
import static skulk.runner.mlx.kernel.Lanes.I;
import static skulk.runner.mlx.kernel.Lanes.N;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import skulk.runner.mlx.kernel.AttentionKernels.Heads;

/**
 * {@link VectorAttention} where numbers are {@link KvType#BF16}: four query vectors at a time, then two, then one, and values four vectors wide, so that memory is read
 * in the order in which it lies. The compiler does not inline helpers of vectors, so each form is spelled out.
 */
@SuppressWarnings("checkstyle:parameternumber") // as AttentionKernels
final class VectorHalfAttention {
    private VectorHalfAttention() {}

    static void scores(MemorySegment block, long at, Heads heads, int scoreAt) {
        for (int lane = 0; lane < BLOCK; lane += N) {
            int q = 0;
            for (; q + 4 <= heads.queries; q += 4) {
                scores4(block, at + lane * 2L, heads, q, scoreAt + lane);
            }
            if (q + 2 <= heads.queries) {
                scores2(block, at + lane * 2L, heads, q, scoreAt + lane);
                q += 2;
            }
            if (q < heads.queries) {
                scores1(block, at + lane * 2L, heads, q, scoreAt + lane);
            }
        }
    }

    private static void scores4(MemorySegment block, long at, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        int width = heads.keyWidth;
        int q0 = q * width;
        int q1 = q0 + width;
        int q2 = q1 + width;
        int q3 = q2 + width;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        for (int d = 0; d < width; d++) {
            FloatVector k = ((IntVector)
                            ShortVector.fromMemorySegment(HALF, block, at + d * (BLOCK * 2L), LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            s0 = k.fma(FloatVector.broadcast(F, query[q0 + d]), s0);
            s1 = k.fma(FloatVector.broadcast(F, query[q1 + d]), s1);
            s2 = k.fma(FloatVector.broadcast(F, query[q2 + d]), s2);
            s3 = k.fma(FloatVector.broadcast(F, query[q3 + d]), s3);
        }
        int out = scoreAt + q * heads.scoreStride;
        s0.intoArray(heads.scores, out);
        s1.intoArray(heads.scores, out + heads.scoreStride);
        s2.intoArray(heads.scores, out + 2 * heads.scoreStride);
        s3.intoArray(heads.scores, out + 3 * heads.scoreStride);
    }

    private static void scores2(MemorySegment block, long at, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        int width = heads.keyWidth;
        int q0 = q * width;
        int q1 = q0 + width;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        for (int d = 0; d < width; d++) {
            FloatVector k = ((IntVector)
                            ShortVector.fromMemorySegment(HALF, block, at + d * (BLOCK * 2L), LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            s0 = k.fma(FloatVector.broadcast(F, query[q0 + d]), s0);
            s1 = k.fma(FloatVector.broadcast(F, query[q1 + d]), s1);
        }
        int out = scoreAt + q * heads.scoreStride;
        s0.intoArray(heads.scores, out);
        s1.intoArray(heads.scores, out + heads.scoreStride);
    }

    private static void scores1(MemorySegment block, long at, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        int width = heads.keyWidth;
        int q0 = q * width;
        FloatVector s0 = FloatVector.zero(F);
        for (int d = 0; d < width; d++) {
            FloatVector k = ((IntVector)
                            ShortVector.fromMemorySegment(HALF, block, at + d * (BLOCK * 2L), LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            s0 = k.fma(FloatVector.broadcast(F, query[q0 + d]), s0);
        }
        int out = scoreAt + q * heads.scoreStride;
        s0.intoArray(heads.scores, out);
    }

    static void accumulate(MemorySegment block, long at, Heads heads, int scoreAt) {
        int q = 0;
        for (; q + 4 <= heads.queries; q += 4) {
            int d = 0;
            for (; d + 4 * N <= heads.valuePadded; d += 4 * N) {
                sums4x4(block, at + d * 2L, heads, q, d, scoreAt);
            }
            for (; d < heads.valuePadded; d += N) {
                sums4x1(block, at + d * 2L, heads, q, d, scoreAt);
            }
        }
        if (q + 2 <= heads.queries) {
            int d = 0;
            for (; d + 4 * N <= heads.valuePadded; d += 4 * N) {
                sums2x4(block, at + d * 2L, heads, q, d, scoreAt);
            }
            for (; d < heads.valuePadded; d += N) {
                sums2x1(block, at + d * 2L, heads, q, d, scoreAt);
            }
            q += 2;
        }
        if (q < heads.queries) {
            int d = 0;
            for (; d + 4 * N <= heads.valuePadded; d += 4 * N) {
                sums1x4(block, at + d * 2L, heads, q, d, scoreAt);
            }
            for (; d < heads.valuePadded; d += N) {
                sums1x1(block, at + d * 2L, heads, q, d, scoreAt);
            }
        }
    }

    @SuppressWarnings("checkstyle:methodlength") // sixteen sums by name
    private static void sums4x4(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int w1 = w0 + heads.scoreStride;
        int w2 = w1 + heads.scoreStride;
        int w3 = w2 + heads.scoreStride;
        int o0 = q * padded + d;
        int o1 = o0 + padded;
        int o2 = o1 + padded;
        int o3 = o2 + padded;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        FloatVector b0 = FloatVector.fromArray(F, sums, o0 + N);
        FloatVector c0 = FloatVector.fromArray(F, sums, o0 + 2 * N);
        FloatVector d0 = FloatVector.fromArray(F, sums, o0 + 3 * N);
        FloatVector a1 = FloatVector.fromArray(F, sums, o1);
        FloatVector b1 = FloatVector.fromArray(F, sums, o1 + N);
        FloatVector c1 = FloatVector.fromArray(F, sums, o1 + 2 * N);
        FloatVector d1 = FloatVector.fromArray(F, sums, o1 + 3 * N);
        FloatVector a2 = FloatVector.fromArray(F, sums, o2);
        FloatVector b2 = FloatVector.fromArray(F, sums, o2 + N);
        FloatVector c2 = FloatVector.fromArray(F, sums, o2 + 2 * N);
        FloatVector d2 = FloatVector.fromArray(F, sums, o2 + 3 * N);
        FloatVector a3 = FloatVector.fromArray(F, sums, o3);
        FloatVector b3 = FloatVector.fromArray(F, sums, o3 + N);
        FloatVector c3 = FloatVector.fromArray(F, sums, o3 + 2 * N);
        FloatVector d3 = FloatVector.fromArray(F, sums, o3 + 3 * N);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector x1 = FloatVector.broadcast(F, weights[w1 + p]);
            FloatVector x2 = FloatVector.broadcast(F, weights[w2 + p]);
            FloatVector x3 = FloatVector.broadcast(F, weights[w3 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
            a1 = v0.fma(x1, a1);
            a2 = v0.fma(x2, a2);
            a3 = v0.fma(x3, a3);
            FloatVector v1 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 1 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            b0 = v1.fma(x0, b0);
            b1 = v1.fma(x1, b1);
            b2 = v1.fma(x2, b2);
            b3 = v1.fma(x3, b3);
            FloatVector v2 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 2 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            c0 = v2.fma(x0, c0);
            c1 = v2.fma(x1, c1);
            c2 = v2.fma(x2, c2);
            c3 = v2.fma(x3, c3);
            FloatVector v3 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 3 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            d0 = v3.fma(x0, d0);
            d1 = v3.fma(x1, d1);
            d2 = v3.fma(x2, d2);
            d3 = v3.fma(x3, d3);
        }
        a0.intoArray(sums, o0);
        b0.intoArray(sums, o0 + N);
        c0.intoArray(sums, o0 + 2 * N);
        d0.intoArray(sums, o0 + 3 * N);
        a1.intoArray(sums, o1);
        b1.intoArray(sums, o1 + N);
        c1.intoArray(sums, o1 + 2 * N);
        d1.intoArray(sums, o1 + 3 * N);
        a2.intoArray(sums, o2);
        b2.intoArray(sums, o2 + N);
        c2.intoArray(sums, o2 + 2 * N);
        d2.intoArray(sums, o2 + 3 * N);
        a3.intoArray(sums, o3);
        b3.intoArray(sums, o3 + N);
        c3.intoArray(sums, o3 + 2 * N);
        d3.intoArray(sums, o3 + 3 * N);
    }

    private static void sums4x1(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int w1 = w0 + heads.scoreStride;
        int w2 = w1 + heads.scoreStride;
        int w3 = w2 + heads.scoreStride;
        int o0 = q * padded + d;
        int o1 = o0 + padded;
        int o2 = o1 + padded;
        int o3 = o2 + padded;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        FloatVector a1 = FloatVector.fromArray(F, sums, o1);
        FloatVector a2 = FloatVector.fromArray(F, sums, o2);
        FloatVector a3 = FloatVector.fromArray(F, sums, o3);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector x1 = FloatVector.broadcast(F, weights[w1 + p]);
            FloatVector x2 = FloatVector.broadcast(F, weights[w2 + p]);
            FloatVector x3 = FloatVector.broadcast(F, weights[w3 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
            a1 = v0.fma(x1, a1);
            a2 = v0.fma(x2, a2);
            a3 = v0.fma(x3, a3);
        }
        a0.intoArray(sums, o0);
        a1.intoArray(sums, o1);
        a2.intoArray(sums, o2);
        a3.intoArray(sums, o3);
    }

    private static void sums2x4(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int w1 = w0 + heads.scoreStride;
        int o0 = q * padded + d;
        int o1 = o0 + padded;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        FloatVector b0 = FloatVector.fromArray(F, sums, o0 + N);
        FloatVector c0 = FloatVector.fromArray(F, sums, o0 + 2 * N);
        FloatVector d0 = FloatVector.fromArray(F, sums, o0 + 3 * N);
        FloatVector a1 = FloatVector.fromArray(F, sums, o1);
        FloatVector b1 = FloatVector.fromArray(F, sums, o1 + N);
        FloatVector c1 = FloatVector.fromArray(F, sums, o1 + 2 * N);
        FloatVector d1 = FloatVector.fromArray(F, sums, o1 + 3 * N);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector x1 = FloatVector.broadcast(F, weights[w1 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
            a1 = v0.fma(x1, a1);
            FloatVector v1 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 1 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            b0 = v1.fma(x0, b0);
            b1 = v1.fma(x1, b1);
            FloatVector v2 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 2 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            c0 = v2.fma(x0, c0);
            c1 = v2.fma(x1, c1);
            FloatVector v3 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 3 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            d0 = v3.fma(x0, d0);
            d1 = v3.fma(x1, d1);
        }
        a0.intoArray(sums, o0);
        b0.intoArray(sums, o0 + N);
        c0.intoArray(sums, o0 + 2 * N);
        d0.intoArray(sums, o0 + 3 * N);
        a1.intoArray(sums, o1);
        b1.intoArray(sums, o1 + N);
        c1.intoArray(sums, o1 + 2 * N);
        d1.intoArray(sums, o1 + 3 * N);
    }

    private static void sums2x1(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int w1 = w0 + heads.scoreStride;
        int o0 = q * padded + d;
        int o1 = o0 + padded;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        FloatVector a1 = FloatVector.fromArray(F, sums, o1);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector x1 = FloatVector.broadcast(F, weights[w1 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
            a1 = v0.fma(x1, a1);
        }
        a0.intoArray(sums, o0);
        a1.intoArray(sums, o1);
    }

    private static void sums1x4(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int o0 = q * padded + d;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        FloatVector b0 = FloatVector.fromArray(F, sums, o0 + N);
        FloatVector c0 = FloatVector.fromArray(F, sums, o0 + 2 * N);
        FloatVector d0 = FloatVector.fromArray(F, sums, o0 + 3 * N);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
            FloatVector v1 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 1 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            b0 = v1.fma(x0, b0);
            FloatVector v2 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 2 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            c0 = v2.fma(x0, c0);
            FloatVector v3 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line + 3 * 2L * N, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            d0 = v3.fma(x0, d0);
        }
        a0.intoArray(sums, o0);
        b0.intoArray(sums, o0 + N);
        c0.intoArray(sums, o0 + 2 * N);
        d0.intoArray(sums, o0 + 3 * N);
    }

    private static void sums1x1(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int o0 = q * padded + d;
        FloatVector a0 = FloatVector.fromArray(F, sums, o0);
        for (int p = 0; p < BLOCK; p++) {
            long line = at + p * (padded * 2L);
            FloatVector x0 = FloatVector.broadcast(F, weights[w0 + p]);
            FloatVector v0 = ((IntVector) ShortVector.fromMemorySegment(HALF, block, line, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v0.fma(x0, a0);
        }
        a0.intoArray(sums, o0);
    }
}
