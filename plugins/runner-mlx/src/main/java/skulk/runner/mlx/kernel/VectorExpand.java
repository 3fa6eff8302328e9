package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.HALF;
import static skulk.runner.mlx.kernel.Lanes.I;
import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Affine weights of one group of a tile as floats, for the usual widths; see {@link MatrixKernels#expand}. */
final class VectorExpand {
    private VectorExpand() {}

    static void affine4(MemorySegment data, long group, int lane, TileFormat format, float[] out, int at) {
        boolean wide = format.wideScales();
        FloatVector scale = wide
                ? FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN)
                : ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                                .convertShape(ZERO_EXTEND_S2I, I, 0))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
        FloatVector bias = wide
                ? FloatVector.fromMemorySegment(F, data, group + 64 + lane * 4L, LITTLE_ENDIAN)
                : ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + 32 + lane * 2L, LITTLE_ENDIAN)
                                .convertShape(ZERO_EXTEND_S2I, I, 0))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
        long word = group + format.groupHead() + lane * 4L;
        for (int stop = at + format.group() * ROWS; at != stop; at += 8 * ROWS) {
            IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
            ((FloatVector) v.and(15).convert(I2F, 0)).fma(scale, bias).intoArray(out, at);
            ((FloatVector) v.lanewise(LSHR, 4).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + ROWS);
            ((FloatVector) v.lanewise(LSHR, 8).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 2 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 12).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 3 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 16).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 4 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 20).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 5 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 24).and(15).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 6 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 28).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 7 * ROWS);
            word += ROWS * 4L;
        }
    }

    static void affine8(MemorySegment data, long group, int lane, TileFormat format, float[] out, int at) {
        boolean wide = format.wideScales();
        FloatVector scale = wide
                ? FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN)
                : ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                                .convertShape(ZERO_EXTEND_S2I, I, 0))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
        FloatVector bias = wide
                ? FloatVector.fromMemorySegment(F, data, group + 64 + lane * 4L, LITTLE_ENDIAN)
                : ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + 32 + lane * 2L, LITTLE_ENDIAN)
                                .convertShape(ZERO_EXTEND_S2I, I, 0))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
        long word = group + format.groupHead() + lane * 4L;
        for (int stop = at + format.group() * ROWS; at != stop; at += 4 * ROWS) {
            IntVector v = IntVector.fromMemorySegment(I, data, word, LITTLE_ENDIAN);
            ((FloatVector) v.and(255).convert(I2F, 0)).fma(scale, bias).intoArray(out, at);
            ((FloatVector) v.lanewise(LSHR, 8).and(255).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + ROWS);
            ((FloatVector) v.lanewise(LSHR, 16).and(255).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 2 * ROWS);
            ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0))
                    .fma(scale, bias)
                    .intoArray(out, at + 3 * ROWS);
            word += ROWS * 4L;
        }
    }
}
