package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;

/** The reference form of {@link AttentionKernels}. */
final class ScalarAttention implements AttentionKernels {
    @Override
    public void storeKey(MemorySegment block, long at, boolean half, int position, float[] key, int keyAt, int width) {
        for (int d = 0; d < width; d++) {
            put(block, at, half, (long) d * BLOCK + position, key[keyAt + d]);
        }
    }

    @Override
    public void storeValue(MemorySegment block, long at, boolean half, float[] value, int valueAt, int width) {
        for (int d = 0; d < width; d++) {
            put(block, at, half, d, value[valueAt + d]);
        }
    }

    @Override
    public void scores(MemorySegment block, long at, boolean half, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            for (int p = 0; p < BLOCK; p++) {
                float sum = 0;
                for (int d = 0; d < heads.keyWidth; d++) {
                    sum = Math.fma(
                            heads.query[q * heads.keyWidth + d], get(block, at, half, (long) d * BLOCK + p), sum);
                }
                heads.scores[scoreAt + q * heads.scoreStride + p] = sum;
            }
        }
    }

    @Override
    public void accumulate(MemorySegment block, long at, boolean half, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            for (int p = 0; p < BLOCK; p++) {
                float weight = heads.scores[scoreAt + q * heads.scoreStride + p];
                for (int d = 0; d < heads.valuePadded; d++) {
                    int sum = q * heads.valuePadded + d;
                    float value = get(block, at, half, (long) p * heads.valuePadded + d);
                    heads.sums[sum] = Math.fma(weight, value, heads.sums[sum]);
                }
            }
        }
    }

    static float get(MemorySegment block, long at, boolean half, long index) {
        return half
                ? ScalarMatrix.bf16(block.get(ScalarMatrix.SHORT, at + index * 2))
                : block.get(ScalarMatrix.FLOAT, at + index * 4);
    }

    static void put(MemorySegment block, long at, boolean half, long index, float value) {
        if (half) {
            block.set(ScalarMatrix.SHORT, at + index * 2, toBf16(value));
        } else {
            block.set(ScalarMatrix.FLOAT, at + index * 4, value);
        }
    }

    /** Rounds to nearest, ties to even. */
    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }
}
