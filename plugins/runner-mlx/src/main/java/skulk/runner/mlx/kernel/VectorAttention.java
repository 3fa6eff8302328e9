package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.N;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@link AttentionKernels} with positions (keys) and dimensions (values) in lanes, four query vectors at a time. */
final class VectorAttention implements AttentionKernels {
    private static final ScalarAttention SCALAR = new ScalarAttention();

    @Override
    public void storeKey(MemorySegment block, long at, KvType type, int position, float[] key, int keyAt, int width) {
        SCALAR.storeKey(block, at, type, position, key, keyAt, width);
    }

    @Override
    public void storeValue(
            MemorySegment block, long at, KvType type, int position, float[] value, int valueAt, int width) {
        SCALAR.storeValue(block, at, type, position, value, valueAt, width);
    }

    @Override
    public void scores(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        if (type == KvType.INT8) {
            VectorByteAttention.scores(block, at, heads, scoreAt);
            return;
        }
        if (type == KvType.BF16) {
            VectorHalfAttention.scores(block, at, heads, scoreAt);
            return;
        }
        int q = 0;
        for (; q + 4 <= heads.queries; q += 4) {
            for (int lane = 0; lane < BLOCK; lane += N) {
                scores4(block, at + lane * 4L, heads, q, scoreAt + lane);
            }
        }
        for (; q < heads.queries; q++) {
            for (int lane = 0; lane < BLOCK; lane += N) {
                scores1(block, at + lane * 4L, heads, q, scoreAt + lane);
            }
        }
    }

    private static void scores4(MemorySegment block, long at, Heads heads, int q, int scoreAt) {
        float[] query = heads.query;
        int width = heads.keyWidth;
        int q0 = q * width;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        for (int d = 0; d < width; d++) {
            FloatVector k = FloatVector.fromMemorySegment(F, block, at + d * (BLOCK * 4L), LITTLE_ENDIAN);
            s0 = k.fma(FloatVector.broadcast(F, query[q0 + d]), s0);
            s1 = k.fma(FloatVector.broadcast(F, query[q0 + width + d]), s1);
            s2 = k.fma(FloatVector.broadcast(F, query[q0 + 2 * width + d]), s2);
            s3 = k.fma(FloatVector.broadcast(F, query[q0 + 3 * width + d]), s3);
        }
        int out = scoreAt + q * heads.scoreStride;
        s0.intoArray(heads.scores, out);
        s1.intoArray(heads.scores, out + heads.scoreStride);
        s2.intoArray(heads.scores, out + 2 * heads.scoreStride);
        s3.intoArray(heads.scores, out + 3 * heads.scoreStride);
    }

    private static void scores1(MemorySegment block, long at, Heads heads, int q, int scoreAt) {
        int width = heads.keyWidth;
        FloatVector s = FloatVector.zero(F);
        for (int d = 0; d < width; d++) {
            s = FloatVector.fromMemorySegment(F, block, at + d * (BLOCK * 4L), LITTLE_ENDIAN)
                    .fma(FloatVector.broadcast(F, heads.query[q * width + d]), s);
        }
        s.intoArray(heads.scores, scoreAt + q * heads.scoreStride);
    }

    @Override
    public void accumulate(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        if (type == KvType.INT8) {
            VectorByteAttention.accumulate(block, at, heads, scoreAt);
            return;
        }
        if (type == KvType.BF16) {
            VectorHalfAttention.accumulate(block, at, heads, scoreAt);
            return;
        }
        int padded = heads.valuePadded;
        int q = 0;
        for (; q + 4 <= heads.queries; q += 4) {
            for (int d = 0; d < padded; d += N) {
                accumulate4(block, at + d * 4L, heads, q, d, scoreAt);
            }
        }
        for (; q < heads.queries; q++) {
            for (int d = 0; d < padded; d += N) {
                accumulate1(block, at + d * 4L, heads, q, d, scoreAt);
            }
        }
    }

    private static void accumulate4(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        float[] weights = heads.scores;
        float[] sums = heads.sums;
        int padded = heads.valuePadded;
        int w0 = scoreAt + q * heads.scoreStride;
        int w1 = w0 + heads.scoreStride;
        int w2 = w1 + heads.scoreStride;
        int w3 = w2 + heads.scoreStride;
        int out = q * padded + d;
        FloatVector s0 = FloatVector.fromArray(F, sums, out);
        FloatVector s1 = FloatVector.fromArray(F, sums, out + padded);
        FloatVector s2 = FloatVector.fromArray(F, sums, out + 2 * padded);
        FloatVector s3 = FloatVector.fromArray(F, sums, out + 3 * padded);
        for (int p = 0; p < BLOCK; p++) {
            FloatVector v = FloatVector.fromMemorySegment(F, block, at + p * (padded * 4L), LITTLE_ENDIAN);
            s0 = v.fma(FloatVector.broadcast(F, weights[w0 + p]), s0);
            s1 = v.fma(FloatVector.broadcast(F, weights[w1 + p]), s1);
            s2 = v.fma(FloatVector.broadcast(F, weights[w2 + p]), s2);
            s3 = v.fma(FloatVector.broadcast(F, weights[w3 + p]), s3);
        }
        s0.intoArray(sums, out);
        s1.intoArray(sums, out + padded);
        s2.intoArray(sums, out + 2 * padded);
        s3.intoArray(sums, out + 3 * padded);
    }

    private static void accumulate1(MemorySegment block, long at, Heads heads, int q, int d, int scoreAt) {
        int padded = heads.valuePadded;
        int w = scoreAt + q * heads.scoreStride;
        int out = q * padded + d;
        FloatVector s = FloatVector.fromArray(F, heads.sums, out);
        for (int p = 0; p < BLOCK; p++) {
            s = FloatVector.fromMemorySegment(F, block, at + p * (padded * 4L), LITTLE_ENDIAN)
                    .fma(FloatVector.broadcast(F, heads.scores[w + p]), s);
        }
        s.intoArray(heads.sums, out);
    }
}
