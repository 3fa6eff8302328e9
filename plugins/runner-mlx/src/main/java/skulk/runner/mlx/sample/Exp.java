package skulk.runner.mlx.sample;

/** The exponential function over rows, fast enough for every token of a large vocabulary. */
final class Exp {
    private static final float LOG2_E = 1.44269504f;
    /** ln 2 in two parts, so that the product with a small integer is exact (Cody and Waite). */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /** Below this the result is under 2⁻¹²⁵ and counts as zero. */
    private static final float LOWEST = -86f;

    private Exp() {}

    /**
     * {@code out[i] = exp((in[from + i] - max) * scale)} for arguments not above zero; relative error below 3e-7. A plain loop without branches, so that
     * the compiler turns it into vector instructions. Polynomial of Cephes {@code expf} (Moshier).
     */
    static void weights(float[] in, int from, int length, float max, float scale, float[] out) {
        for (int i = 0; i < length; i++) {
            float x = Math.max((in[from + i] - max) * scale, LOWEST);
            int n = (int) (x * LOG2_E - 0.5f);
            float r = x - n * LN2_HIGH - n * LN2_LOW;
            float p = 1.9875691500e-4f;
            p = p * r + 1.3981999507e-3f;
            p = p * r + 8.3334519073e-3f;
            p = p * r + 4.1665795894e-2f;
            p = p * r + 1.6666665459e-1f;
            p = p * r + 5.0000001201e-1f;
            p = p * r * r + r + 1f;
            out[i] = p * Float.intBitsToFloat((n + 127) << 23);
        }
    }

    /** The sum in double precision. */
    static double sum(float[] values, int length) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 3 < length; i += 4) {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
        }
        for (; i < length; i++) {
            a += values[i];
        }
        return a + b + c + d;
    }
}
