package skulk.runner.mlx.kernel;

/** BF16 arithmetic: the upper half of a float, rounded to nearest, ties to even, after every operation. */
final class Bf16 {
    private static final float LOG2_E = 1.442695f;
    /** Coefficients of 2^x on -0.5..0.5, highest power first (Cephes, exp2f). */
    private static final float[] EXP2 = {
        1.535336188319500e-4f,
        1.339887440266574e-3f,
        9.618437357674640e-3f,
        5.550332471162809e-2f,
        2.402264791363012e-1f,
        6.931472028550421e-1f,
        1
    };

    private Bf16() {}

    static float round(float value) {
        return ScalarMatrix.bf16(ScalarAttention.toBf16(value));
    }

    /** The exponential in floats as MLX's CPU backend approximates it, not rounded to BF16. */
    static float exp(float x) {
        if (Float.isNaN(x)) {
            return x;
        }
        if (x > 88) {
            return Float.POSITIVE_INFINITY;
        }
        if (x < -88) {
            return 0;
        }
        float power = x * LOG2_E;
        float whole = (float) Math.floor(power + 0.5);
        float part = power - whole;
        float value = EXP2[0];
        for (int i = 1; i < EXP2.length; i++) {
            value = Math.fma(value, part, EXP2[i]);
        }
        return Float.intBitsToFloat(((int) whole + 127) << 23) * value;
    }
}
