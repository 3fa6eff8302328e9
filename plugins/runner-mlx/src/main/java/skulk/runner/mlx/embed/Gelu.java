package skulk.runner.mlx.embed;

/**
 * The exact GELU, {@code x/2 (1 + erf(x/√2))}, in a form without branches that the compiler turns into vectors. erf is the
 * rational approximation {@code x P(x²) / Q(x²)} on -4..4 that Eigen and XLA use for 32-bit floats.
 */
final class Gelu {
    private static final float SQRT_HALF = 0.70710678f;
    private static final float LIMIT = 4;

    private Gelu() {}

    static void apply(float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            float v = x[i];
            float z = Math.max(-LIMIT, Math.min(LIMIT, v * SQRT_HALF));
            float s = z * z;
            float p = -2.72614225801306e-10f;
            p = p * s + 2.77068142495902e-08f;
            p = p * s - 2.10102402082508e-06f;
            p = p * s - 5.69250639462346e-05f;
            p = p * s - 7.34990630326855e-04f;
            p = p * s - 2.95459980854025e-03f;
            p = p * s - 1.60960333262415e-02f;
            float q = -1.45660718464996e-05f;
            q = q * s - 2.13374055278905e-04f;
            q = q * s - 1.68282697438203e-03f;
            q = q * s - 7.37332916720468e-03f;
            q = q * s - 1.42647390514189e-02f;
            x[i] = 0.5f * v * (1 + z * p / q);
        }
    }
}
