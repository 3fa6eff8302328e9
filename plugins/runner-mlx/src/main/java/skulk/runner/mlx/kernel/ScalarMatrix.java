package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The reference form of {@link MatrixKernels}. */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
final class ScalarMatrix implements MatrixKernels {
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public void expand(TileMatrix matrix, int tile, int from, int count, float[] out, int at) {
        for (int row = 0; row < ROWS; row++) {
            for (int k = 0; k < count; k++) {
                out[at + k * ROWS + row] = value(matrix, tile, from + k, row);
            }
        }
    }

    /** One value of a matrix. */
    static float value(TileMatrix matrix, int tile, int col, int row) {
        MemorySegment data = matrix.data();
        TileFormat format = matrix.format();
        long start = tile * matrix.tileBytes();
        long index = (long) col * ROWS + row;
        return switch (format.kind()) {
            case F32 -> data.get(FLOAT, start + index * 4);
            case F16 -> Float.float16ToFloat(data.get(SHORT, start + index * 2));
            case BF16 -> bf16(data.get(SHORT, start + index * 2));
            case AFFINE -> {
                long group = start + col / format.group() * format.groupBytes();
                float scale = scale(data, format, group, row);
                float bias = scale(data, format, group + (long) ROWS * format.scaleBytes(), row);
                yield Math.fma(code(data, format, group, col % format.group(), row), scale, bias);
            }
            case FP4, FP8 -> {
                long group = start + col / format.group() * format.groupBytes();
                yield small(data, format, group, col % format.group(), row) * scale(data, format, group, row);
            }
        };
    }

    /** A small float without its scale. */
    static float small(MemorySegment data, TileFormat format, long group, int k, int row) {
        int code = code(data, format, group, k, row);
        return format.kind() == TileFormat.Kind.FP4 ? SmallFloat.fp4(code) : SmallFloat.fp8(code);
    }

    static float scale(MemorySegment data, TileFormat format, long at, int row) {
        return format.wideScales() ? data.get(FLOAT, at + row * 4L) : bf16(data.get(SHORT, at + row * 2L));
    }

    static int code(MemorySegment data, TileFormat format, long group, int k, int row) {
        int bit = k * format.bits();
        long word = group + format.groupHead() + ((long) (bit >>> 5) * ROWS + row) * 4;
        long stream = Integer.toUnsignedLong(data.get(INT, word));
        if ((bit & 31) + format.bits() > 32) {
            stream |= (long) data.get(INT, word + ROWS * 4) << 32;
        }
        return (int) (stream >>> (bit & 31)) & ((1 << format.bits()) - 1);
    }

    static float bf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    @Override
    public void multiply4x1(float[] w, int tileStride, int count, float[] x, int xAt, float[] y, int yAt) {
        for (int t = 0; t < 4; t++) {
            multiply(w, t * tileStride, count, x, xAt, y, yAt + t * ROWS);
        }
    }

    @Override
    public void multiply2x4(float[] w, int wAt, int tileStride, int count, Rows4 rows) {
        for (int i = 0; i < 4; i++) {
            for (int t = 0; t < 2; t++) {
                multiply(
                        w,
                        wAt + t * tileStride,
                        count,
                        rows.x,
                        rows.xAt + i * rows.xStride,
                        rows.y,
                        rows.yAt + i * rows.yStride + t * ROWS);
            }
        }
    }

    @Override
    public void multiply2x1(TileMatrix matrix, int tile, float[] x, int xAt, float[] y, int yAt) {
        for (int r = 0; r < 2 * ROWS; r++) {
            float sum = 0;
            for (int k = 0; k < matrix.cols(); k++) {
                sum = Math.fma(value(matrix, tile + r / ROWS, k, r % ROWS), x[xAt + k], sum);
            }
            y[yAt + r] = sum;
        }
    }

    private static void multiply(float[] w, int wAt, int count, float[] x, int xAt, float[] y, int yAt) {
        for (int r = 0; r < ROWS; r++) {
            float sum = y[yAt + r];
            for (int k = 0; k < count; k++) {
                sum = Math.fma(w[wAt + k * ROWS + r], x[xAt + k], sum);
            }
            y[yAt + r] = sum;
        }
    }
}
