package skulk.runner.mlx.kernel;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static skulk.runner.mlx.kernel.Lanes.I;
import static skulk.runner.mlx.kernel.Lanes.N;

import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Floats of 4 bits (E2M1) and 8 bits (E4M3), as the Open Compute Project's microscaling formats have them: a sign, an exponent and a mantissa, with subnormals, without
 * infinities.
 */
public final class SmallFloat {
    private static final float[] FP4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
    /** 2^120: moves an E4M3 float's exponent into place after its bits were shifted, subnormals included. */
    private static final float FP8_SCALE = 0x1p120f;
    /** Sign, exponent and mantissa of an E4M3 float that was extended with its sign up to there. */
    private static final int FP8_BITS = 0x87f00000;

    private SmallFloat() {}

    /** Codes from 0 to 15. */
    static float fp4(int code) {
        return FP4[code];
    }

    /** Codes from 0 to 255; the two that stand for no number are taken for 480 and -480, as MLX takes them. */
    public static float fp8(int code) {
        float magnitude = Float.intBitsToFloat((code & 0x7f) << 20) * FP8_SCALE;
        return code < 128 ? magnitude : -magnitude;
    }

    /** The vector forms; a class of their own, so that machines without vectors never load it. */
    static final class Vectors {
        /** As many of the 4-bit floats as there are lanes, as bits of floats. Looked up rather than shifted into place, which would multiply subnormals: some processors do that slowly. */
        private static final IntVector TABLE = IntVector.fromArray(
                I,
                IntStream.range(0, N)
                        .map(i -> Float.floatToRawIntBits(FP4[i % FP4.length]))
                        .toArray(),
                0);

        private Vectors() {}

        /** The lowest 4 bits of each lane; others may be anything. */
        static FloatVector fp4(IntVector codes) {
            if (N == FP4.length) {
                return codes.selectFrom(TABLE).reinterpretAsFloats();
            }
            IntVector magnitudes = N >= FP4.length / 2
                    ? codes.selectFrom(TABLE)
                    : codes.and(7)
                            .lanewise(LSHL, 22)
                            .reinterpretAsFloats()
                            .mul(0x1p126f)
                            .reinterpretAsInts();
            return magnitudes.or(codes.and(8).lanewise(LSHL, 28)).reinterpretAsFloats();
        }

        /** The lowest 8 bits of each lane; others may be anything. */
        static FloatVector fp8(IntVector codes) {
            return codes.lanewise(LSHL, 24)
                    .lanewise(ASHR, 4)
                    .and(FP8_BITS)
                    .reinterpretAsFloats()
                    .mul(FP8_SCALE);
        }
    }
}
