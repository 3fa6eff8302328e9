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
import static skulk.runner.mlx.kernel.Lanes.N;
import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * {@link MatrixKernels} with rows in lanes. Methods are flat and small on purpose: the JIT stops inlining helpers in
 * large vector methods and then boxes every vector.
 */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
final class VectorMatrix implements MatrixKernels {
    /** 2^112: moves a half float's exponent into place after its bits were shifted, subnormals included. */
    static final float HALF_SCALE = 0x1p112f;
    /** Sign, exponent and mantissa of a half float that was extended with its sign and shifted by 13. */
    static final int HALF_BITS = 0x8fffe000;

    @Override
    public void expand(TileMatrix matrix, int tile, int from, int count, float[] out, int at) {
        TileFormat format = matrix.format();
        long start = tile * matrix.tileBytes();
        switch (format.kind()) {
            case F32 ->
                MemorySegment.copy(
                        matrix.data(), ScalarMatrix.FLOAT, start + (long) from * ROWS * 4, out, at, count * ROWS);
            case BF16 -> bf16(matrix.data(), start + (long) from * ROWS * 2, count, out, at);
            case F16 -> f16(matrix.data(), start + (long) from * ROWS * 2, count, out, at);
            case AFFINE -> {
                long group = start + from / format.group() * format.groupBytes();
                for (int k = 0; k < count; k += format.group()) {
                    for (int lane = 0; lane < ROWS; lane += N) {
                        int to = at + k * ROWS + lane;
                        switch (format.bits()) {
                            case 4 -> VectorExpand.affine4(matrix.data(), group, lane, format, out, to);
                            case 8 -> VectorExpand.affine8(matrix.data(), group, lane, format, out, to);
                            default -> affine(matrix.data(), group, lane, format, out, to);
                        }
                    }
                    group += format.groupBytes();
                }
            }
            case FP4, FP8 -> {
                long group = start + from / format.group() * format.groupBytes();
                for (int k = 0; k < count; k += format.group()) {
                    for (int lane = 0; lane < ROWS; lane += N) {
                        small(matrix.data(), group, lane, format, out, at + k * ROWS + lane);
                    }
                    group += format.groupBytes();
                }
            }
        }
    }

    private static void bf16(MemorySegment data, long from, int count, float[] out, int at) {
        for (int i = 0; i < count * ROWS; i += N) {
            ShortVector v = ShortVector.fromMemorySegment(HALF, data, from + i * 2L, LITTLE_ENDIAN);
            ((IntVector) v.convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(out, at + i);
        }
    }

    private static void f16(MemorySegment data, long from, int count, float[] out, int at) {
        for (int i = 0; i < count * ROWS; i += N) {
            ShortVector v = ShortVector.fromMemorySegment(HALF, data, from + i * 2L, LITTLE_ENDIAN);
            ((IntVector) v.convertShape(S2I, I, 0))
                    .lanewise(LSHL, 13)
                    .and(HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(HALF_SCALE)
                    .intoArray(out, at + i);
        }
    }

    private static void affine(MemorySegment data, long group, int lane, TileFormat format, float[] out, int at) {
        FloatVector scale;
        FloatVector bias;
        if (format.wideScales()) {
            scale = FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN);
            bias = FloatVector.fromMemorySegment(F, data, group + ROWS * 4L + lane * 4L, LITTLE_ENDIAN);
        } else {
            scale = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            bias = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + ROWS * 2L + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
        }
        int bits = format.bits();
        int mask = (1 << bits) - 1;
        long words = group + format.groupHead() + lane * 4L;
        int end = format.group() * bits;
        for (int bit = 0; bit < end; bit += bits) {
            long word = words + (bit >>> 5) * (ROWS * 4L);
            int shift = bit & 31;
            IntVector code =
                    IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN).lanewise(LSHR, shift);
            if (shift + bits > 32) {
                code = code.or(IntVector.fromMemorySegment(I, data, word + ROWS * 4L, LITTLE_ENDIAN)
                        .lanewise(LSHL, 32 - shift));
            }
            ((FloatVector) code.and(mask).convert(I2F, 0)).fma(scale, bias).intoArray(out, at);
            at += ROWS;
        }
    }

    private static void small(MemorySegment data, long group, int lane, TileFormat format, float[] out, int at) {
        FloatVector scale = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                        .convertShape(ZERO_EXTEND_S2I, I, 0))
                .lanewise(LSHL, 16)
                .reinterpretAsFloats();
        long word = group + format.groupHead() + lane * 4L;
        int bits = format.bits();
        for (int stop = at + format.group() * ROWS; at != stop; word += ROWS * 4L) {
            IntVector codes = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
            for (int k = 0; k < 32; k += bits) {
                FloatVector value = bits == 4 ? SmallFloat.Vectors.fp4(codes) : SmallFloat.Vectors.fp8(codes);
                value.mul(scale).intoArray(out, at);
                codes = codes.lanewise(LSHR, bits);
                at += ROWS;
            }
        }
    }

    @Override
    public void multiply2x1(TileMatrix matrix, int tile, float[] x, int xAt, float[] y, int yAt) {
        long bytes = matrix.tileBytes();
        for (int lane = 0; lane < ROWS; lane += N) {
            VectorDirect.Pair pair =
                    new VectorDirect.Pair(matrix.data(), tile * bytes, bytes, matrix.format(), matrix.cols(), lane);
            VectorDirect.multiply(pair, x, xAt, y, yAt);
        }
    }

    @Override
    public void multiply4x1(float[] w, int tileStride, int count, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < ROWS; lane += N) {
            lane4x1(w, lane, tileStride, count, x, xAt, y, yAt + lane);
        }
    }

    private static void lane4x1(float[] w, int wAt, int tileStride, int count, float[] x, int xAt, float[] y, int yAt) {
        FloatVector y0 = FloatVector.fromArray(F, y, yAt);
        FloatVector y1 = FloatVector.fromArray(F, y, yAt + ROWS);
        FloatVector y2 = FloatVector.fromArray(F, y, yAt + 2 * ROWS);
        FloatVector y3 = FloatVector.fromArray(F, y, yAt + 3 * ROWS);
        for (int k = 0; k < count; k++) {
            FloatVector x0 = FloatVector.broadcast(F, x[xAt + k]);
            int at = wAt + k * ROWS;
            y0 = FloatVector.fromArray(F, w, at).fma(x0, y0);
            y1 = FloatVector.fromArray(F, w, at + tileStride).fma(x0, y1);
            y2 = FloatVector.fromArray(F, w, at + 2 * tileStride).fma(x0, y2);
            y3 = FloatVector.fromArray(F, w, at + 3 * tileStride).fma(x0, y3);
        }
        y0.intoArray(y, yAt);
        y1.intoArray(y, yAt + ROWS);
        y2.intoArray(y, yAt + 2 * ROWS);
        y3.intoArray(y, yAt + 3 * ROWS);
    }

    @Override
    public void multiply2x4(float[] w, int wAt, int tileStride, int count, Rows4 rows) {
        for (int lane = 0; lane < ROWS; lane += N) {
            lane2x4(w, wAt + lane, tileStride, count, rows, rows.yAt + lane);
        }
    }

    private static void lane2x4(float[] w, int wAt, int tileStride, int count, Rows4 rows, int yAt) {
        float[] x = rows.x;
        float[] y = rows.y;
        int yStride = rows.yStride;
        FloatVector a0 = FloatVector.fromArray(F, y, yAt);
        FloatVector b0 = FloatVector.fromArray(F, y, yAt + ROWS);
        FloatVector a1 = FloatVector.fromArray(F, y, yAt + yStride);
        FloatVector b1 = FloatVector.fromArray(F, y, yAt + yStride + ROWS);
        FloatVector a2 = FloatVector.fromArray(F, y, yAt + 2 * yStride);
        FloatVector b2 = FloatVector.fromArray(F, y, yAt + 2 * yStride + ROWS);
        FloatVector a3 = FloatVector.fromArray(F, y, yAt + 3 * yStride);
        FloatVector b3 = FloatVector.fromArray(F, y, yAt + 3 * yStride + ROWS);
        int x0 = rows.xAt;
        int x1 = x0 + rows.xStride;
        int x2 = x1 + rows.xStride;
        int x3 = x2 + rows.xStride;
        for (int k = 0; k < count; k++) {
            FloatVector wa = FloatVector.fromArray(F, w, wAt + k * ROWS);
            FloatVector wb = FloatVector.fromArray(F, w, wAt + tileStride + k * ROWS);
            FloatVector v0 = FloatVector.broadcast(F, x[x0 + k]);
            a0 = wa.fma(v0, a0);
            b0 = wb.fma(v0, b0);
            FloatVector v1 = FloatVector.broadcast(F, x[x1 + k]);
            a1 = wa.fma(v1, a1);
            b1 = wb.fma(v1, b1);
            FloatVector v2 = FloatVector.broadcast(F, x[x2 + k]);
            a2 = wa.fma(v2, a2);
            b2 = wb.fma(v2, b2);
            FloatVector v3 = FloatVector.broadcast(F, x[x3 + k]);
            a3 = wa.fma(v3, a3);
            b3 = wb.fma(v3, b3);
        }
        a0.intoArray(y, yAt);
        b0.intoArray(y, yAt + ROWS);
        a1.intoArray(y, yAt + yStride);
        b1.intoArray(y, yAt + yStride + ROWS);
        a2.intoArray(y, yAt + 2 * yStride);
        b2.intoArray(y, yAt + 2 * yStride + ROWS);
        a3.intoArray(y, yAt + 3 * yStride);
        b3.intoArray(y, yAt + 3 * yStride + ROWS);
    }
}
