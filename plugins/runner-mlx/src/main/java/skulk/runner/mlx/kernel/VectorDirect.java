package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.HALF;
import static skulk.runner.mlx.kernel.Lanes.I;
import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Products of one row of activations with two tiles, straight from the packed weights: expanded in registers to the same
 * floats and added in the same order as by way of {@link MatrixKernels#expand}, so that both ways give the same bits.
 * Two tiles make two chains of additions, which hides half of their latency. Flat on purpose, see {@link VectorMatrix}.
 */
@SuppressWarnings(
        "checkstyle:methodlength") // flat on purpose: helpers of vectors are not inlined into methods this large
final class VectorDirect {
    private VectorDirect() {}

    /**
     * Two tiles and one row, in the lanes from {@code lane} on.
     *
     * @param at first byte of the first tile
     * @param next bytes from there to the second
     */
    record Pair(MemorySegment data, long at, long next, TileFormat format, int cols, int lane) {}

    static void multiply(Pair w, float[] x, int xAt, float[] y, int yAt) {
        switch (w.format.kind()) {
            case AFFINE -> {
                switch (w.format.bits()) {
                    case 4 -> affine4(w, x, xAt, y, yAt);
                    case 8 -> affine8(w, x, xAt, y, yAt);
                    default -> affine(w, x, xAt, y, yAt);
                }
            }
            case BF16 -> bf16(w, x, xAt, y, yAt);
            case F16 -> f16(w, x, xAt, y, yAt);
            case F32 -> f32(w, x, xAt, y, yAt);
            case FP4, FP8 -> small(w, x, xAt, y, yAt);
        }
    }

    private static void affine(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        boolean wide = w.format.wideScales();
        int head = w.format.groupHead();
        int group = w.format.group();
        long lane = w.lane;
        long at = w.at;
        int bits = w.format.bits();
        int mask = (1 << bits) - 1;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        int end = xAt + w.cols;
        while (xAt != end) {
            FloatVector scale0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector scale1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            long words = at + head + lane * 4;
            int width = group * bits;
            for (int bit = 0; bit < width; bit += bits) {
                long word = words + (bit >>> 5) * (ROWS * 4L);
                int shift = bit & 31;
                IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN)
                        .lanewise(LSHR, shift);
                IntVector u = IntVector.fromMemorySegment(I, data, word + w.next, LITTLE_ENDIAN)
                        .lanewise(LSHR, shift);
                if (shift + bits > 32) {
                    word += ROWS * 4L;
                    v = v.or(IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN)
                            .lanewise(LSHL, 32 - shift));
                    u = u.or(IntVector.fromMemorySegment(I, data, word + w.next, LITTLE_ENDIAN)
                            .lanewise(LSHL, 32 - shift));
                }
                FloatVector value = FloatVector.broadcast(F, x[xAt++]);
                y0 = ((FloatVector) v.and(mask).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(value, y0);
                y1 = ((FloatVector) u.and(mask).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(value, y1);
            }
            at += head + (long) group * bits * 2;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void affine4(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        boolean wide = w.format.wideScales();
        int head = w.format.groupHead();
        int group = w.format.group();
        long lane = w.lane;
        long at = w.at;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        int end = xAt + w.cols;
        while (xAt != end) {
            FloatVector scale0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector scale1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            long word = at + head + lane * 4;
            for (int stop = xAt + group; xAt != stop; xAt += 8) {
                IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
                IntVector u = IntVector.fromMemorySegment(I, data, word + w.next, LITTLE_ENDIAN);
                FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
                y0 = ((FloatVector) v.and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x0, y0);
                y1 = ((FloatVector) u.and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x0, y1);
                FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
                y0 = ((FloatVector) v.lanewise(LSHR, 4).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x1, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 4).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x1, y1);
                FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
                y0 = ((FloatVector) v.lanewise(LSHR, 8).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x2, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 8).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x2, y1);
                FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
                y0 = ((FloatVector) v.lanewise(LSHR, 12).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x3, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 12).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x3, y1);
                FloatVector x4 = FloatVector.broadcast(F, x[xAt + 4]);
                y0 = ((FloatVector) v.lanewise(LSHR, 16).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x4, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 16).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x4, y1);
                FloatVector x5 = FloatVector.broadcast(F, x[xAt + 5]);
                y0 = ((FloatVector) v.lanewise(LSHR, 20).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x5, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 20).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x5, y1);
                FloatVector x6 = FloatVector.broadcast(F, x[xAt + 6]);
                y0 = ((FloatVector) v.lanewise(LSHR, 24).and(15).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x6, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 24).and(15).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x6, y1);
                FloatVector x7 = FloatVector.broadcast(F, x[xAt + 7]);
                y0 = ((FloatVector) v.lanewise(LSHR, 28).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x7, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 28).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x7, y1);
                word += ROWS * 4L;
            }
            at += head + (long) group * 8;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void small(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        int head = w.format.groupHead();
        int group = w.format.group();
        int bits = w.format.bits();
        long at = w.at + w.lane * 2L;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        int end = xAt + w.cols;
        while (xAt != end) {
            FloatVector scale0 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector scale1 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            long word = at + head + w.lane * 2L;
            for (int stop = xAt + group; xAt != stop; word += ROWS * 4L) {
                IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
                IntVector u = IntVector.fromMemorySegment(I, data, word + w.next, LITTLE_ENDIAN);
                for (int k = 0; k < 32; k += bits) {
                    FloatVector value = FloatVector.broadcast(F, x[xAt++]);
                    FloatVector v0 = bits == 4 ? SmallFloat.Vectors.fp4(v) : SmallFloat.Vectors.fp8(v);
                    FloatVector u0 = bits == 4 ? SmallFloat.Vectors.fp4(u) : SmallFloat.Vectors.fp8(u);
                    y0 = v0.mul(scale0).fma(value, y0);
                    y1 = u0.mul(scale1).fma(value, y1);
                    v = v.lanewise(LSHR, bits);
                    u = u.lanewise(LSHR, bits);
                }
            }
            at += head + (long) group * bits * 2;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void affine8(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        boolean wide = w.format.wideScales();
        int head = w.format.groupHead();
        int group = w.format.group();
        long lane = w.lane;
        long at = w.at;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        int end = xAt + w.cols;
        while (xAt != end) {
            FloatVector scale0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias0 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector scale1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            FloatVector bias1 = wide
                    ? FloatVector.fromMemorySegment(F, data, at + w.next + 64 + lane * 4, LITTLE_ENDIAN)
                    : ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next + 32 + lane * 2, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                            .lanewise(LSHL, 16)
                            .reinterpretAsFloats();
            long word = at + head + lane * 4;
            for (int stop = xAt + group; xAt != stop; xAt += 4) {
                IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
                IntVector u = IntVector.fromMemorySegment(I, data, word + w.next, LITTLE_ENDIAN);
                FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
                y0 = ((FloatVector) v.and(255).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x0, y0);
                y1 = ((FloatVector) u.and(255).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x0, y1);
                FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
                y0 = ((FloatVector) v.lanewise(LSHR, 8).and(255).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x1, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 8).and(255).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x1, y1);
                FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
                y0 = ((FloatVector) v.lanewise(LSHR, 16).and(255).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x2, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 16).and(255).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x2, y1);
                FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
                y0 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0))
                        .fma(scale0, bias0)
                        .fma(x3, y0);
                y1 = ((FloatVector) u.lanewise(LSHR, 24).convert(I2F, 0))
                        .fma(scale1, bias1)
                        .fma(x3, y1);
                word += ROWS * 4L;
            }
            at += head + (long) group * 16;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void bf16(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        long at = w.at + w.lane * 2L;
        for (int k = xAt; k != xAt + w.cols; k++) {
            FloatVector value = FloatVector.broadcast(F, x[k]);
            y0 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(value, y0);
            y1 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(value, y1);
            at += ROWS * 2L;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void f16(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        long at = w.at + w.lane * 2L;
        for (int k = xAt; k != xAt + w.cols; k++) {
            FloatVector value = FloatVector.broadcast(F, x[k]);
            y0 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at, LITTLE_ENDIAN)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 13)
                    .and(VectorMatrix.HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(VectorMatrix.HALF_SCALE)
                    .fma(value, y0);
            y1 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, at + w.next, LITTLE_ENDIAN)
                            .convertShape(S2I, I, 0))
                    .lanewise(LSHL, 13)
                    .and(VectorMatrix.HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(VectorMatrix.HALF_SCALE)
                    .fma(value, y1);
            at += ROWS * 2L;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }

    private static void f32(Pair w, float[] x, int xAt, float[] y, int yAt) {
        MemorySegment data = w.data;
        FloatVector y0 = FloatVector.zero(F);
        FloatVector y1 = FloatVector.zero(F);
        long at = w.at + w.lane * 4L;
        for (int k = xAt; k != xAt + w.cols; k++) {
            FloatVector value = FloatVector.broadcast(F, x[k]);
            y0 = FloatVector.fromMemorySegment(F, data, at, LITTLE_ENDIAN).fma(value, y0);
            y1 = FloatVector.fromMemorySegment(F, data, at + w.next, LITTLE_ENDIAN)
                    .fma(value, y1);
            at += ROWS * 4L;
        }
        y0.intoArray(y, yAt + w.lane);
        y1.intoArray(y, yAt + ROWS + w.lane);
    }
}
