package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The reference form of {@link AttentionKernels}. */
class ScalarAttention implements AttentionKernels {
    private static final int MIDDLE = 128;

    @Override
    public void storeKey(MemorySegment block, long at, KvType type, int position, float[] key, int keyAt, int width) {
        if (type == KvType.INT8) {
            storeBytes(new Part(block, at, width, position), key, keyAt, width, true);
            return;
        }
        for (int d = 0; d < width; d++) {
            put(block, at, type, (long) d * BLOCK + position, key[keyAt + d]);
        }
    }

    @Override
    public void storeValue(
            MemorySegment block, long at, KvType type, int position, float[] value, int valueAt, int width) {
        int padded = (width + 15) / 16 * 16;
        if (type == KvType.INT8) {
            storeBytes(new Part(block, at, padded, position), value, valueAt, width, false);
            return;
        }
        for (int d = 0; d < width; d++) {
            put(block, at, type, (long) position * padded + d, value[valueAt + d]);
        }
    }

    /** One position of the keys or values at {@code at}. @param stored dimensions, as they are stored */
    private record Part(MemorySegment block, long at, int stored, int position) {}

    /** Spreads the values of each group over 256 steps from the smallest to the largest. */
    private static void storeBytes(Part part, float[] from, int fromAt, int width, boolean columns) {
        for (int g = 0; g < KvType.groups(width); g++) {
            int start = g * KvType.GROUP;
            int end = Math.min(width, start + KvType.GROUP);
            float min = from[fromAt + start];
            float max = min;
            for (int d = start + 1; d < end; d++) {
                min = Math.min(min, from[fromAt + d]);
                max = Math.max(max, from[fromAt + d]);
            }
            float scale = (max - min) / 255;
            float inverse = scale > 0 ? 1 / scale : 0;
            for (int d = start; d < end; d++) {
                int step = Math.clamp(Math.round((from[fromAt + d] - min) * inverse), 0, 255);
                long index = columns ? (long) d * BLOCK + part.position : (long) part.position * part.stored + d;
                part.block.set(ValueLayout.JAVA_BYTE, part.at + index, (byte) (step - MIDDLE));
            }
            long scales = part.at + KvType.scales(part.stored, g) + 4L * part.position;
            part.block.set(ScalarMatrix.FLOAT, scales, scale);
            part.block.set(ScalarMatrix.FLOAT, scales + KvType.SPAN, min + MIDDLE * scale);
        }
    }

    @Override
    public void scores(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            for (int p = 0; p < BLOCK; p++) {
                heads.scores[scoreAt + q * heads.scoreStride + p] =
                        type == KvType.INT8 ? byteScore(block, at, heads, q, p) : score(block, at, type, heads, q, p);
            }
        }
    }

    private static float score(MemorySegment block, long at, KvType type, Heads heads, int q, int p) {
        float sum = 0;
        for (int d = 0; d < heads.keyWidth; d++) {
            sum = Math.fma(heads.query[q * heads.keyWidth + d], get(block, at, type, (long) d * BLOCK + p), sum);
        }
        return sum;
    }

    private static float byteScore(MemorySegment block, long at, Heads heads, int q, int p) {
        int width = heads.keyWidth;
        int groups = KvType.groups(width);
        float total = 0;
        for (int g = 0; g < groups; g++) {
            float sum = 0;
            for (int d = g * KvType.GROUP; d < Math.min(width, (g + 1) * KvType.GROUP); d++) {
                sum = Math.fma(
                        heads.query[q * width + d], block.get(ValueLayout.JAVA_BYTE, at + (long) d * BLOCK + p), sum);
            }
            long scales = at + KvType.scales(width, g) + 4L * p;
            total = Math.fma(sum, block.get(ScalarMatrix.FLOAT, scales), total);
            total = Math.fma(
                    block.get(ScalarMatrix.FLOAT, scales + KvType.SPAN), heads.querySums[q * groups + g], total);
        }
        return total;
    }

    @Override
    public void accumulate(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            if (type == KvType.INT8) {
                accumulateBytes(block, at, heads, q, scoreAt + q * heads.scoreStride);
                continue;
            }
            for (int p = 0; p < BLOCK; p++) {
                float weight = heads.scores[scoreAt + q * heads.scoreStride + p];
                for (int d = 0; d < heads.valuePadded; d++) {
                    int sum = q * heads.valuePadded + d;
                    float value = get(block, at, type, (long) p * heads.valuePadded + d);
                    heads.sums[sum] = Math.fma(weight, value, heads.sums[sum]);
                }
            }
        }
    }

    private static void accumulateBytes(MemorySegment block, long at, Heads heads, int q, int weights) {
        int padded = heads.valuePadded;
        for (int g = 0; g < KvType.groups(padded); g++) {
            float bias = scaleWeights(block, at + KvType.scales(padded, g), heads, weights, 0);
            for (int d = g * KvType.GROUP; d < Math.min(padded, (g + 1) * KvType.GROUP); d++) {
                float sum = heads.sums[q * padded + d] + bias;
                for (int p = 0; p < BLOCK; p++) {
                    byte value = block.get(ValueLayout.JAVA_BYTE, at + (long) p * padded + d);
                    sum = Math.fma(heads.scaled[p], value, sum);
                }
                heads.sums[q * padded + d] = sum;
            }
        }
    }

    /** Puts weights times scales into {@code heads.scaled} from {@code to} on. @return weights times biases, summed */
    static float scaleWeights(MemorySegment block, long scales, Heads heads, int weights, int to) {
        float bias = 0;
        for (int p = 0; p < BLOCK; p++) {
            float weight = heads.scores[weights + p];
            heads.scaled[to + p] = weight * block.get(ScalarMatrix.FLOAT, scales + 4L * p);
            bias = Math.fma(weight, block.get(ScalarMatrix.FLOAT, scales + KvType.SPAN + 4L * p), bias);
        }
        return bias;
    }

    static float get(MemorySegment block, long at, KvType type, long index) {
        return type == KvType.BF16
                ? ScalarMatrix.bf16(block.get(ScalarMatrix.SHORT, at + index * 2))
                : block.get(ScalarMatrix.FLOAT, at + index * 4);
    }

    private static void put(MemorySegment block, long at, KvType type, long index, float value) {
        if (type == KvType.BF16) {
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
