package skulk.runner.mlx.kernel;

/** The error function, accurate to about 1e-13. */
final class Erf {
    private static final double SERIES_LIMIT = 2.5;
    private static final int FRACTION_TERMS = 60;

    private Erf() {}

    /** Power series near zero (Abramowitz and Stegun 7.1.6), continued fraction of erfc beyond (7.1.14). */
    static double erf(double x) {
        double a = Math.abs(x);
        if (Double.isNaN(x) || a > 6) {
            return Double.isNaN(x) ? x : Math.signum(x);
        }
        if (a < SERIES_LIMIT) {
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
                term *= 2 * x * x / (2 * n + 1);
                sum += term;
            }
            return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
        }
        double fraction = a;
        for (int n = FRACTION_TERMS; n > 0; n--) {
            fraction = a + n / 2.0 / fraction;
        }
        double erfc = Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction;
        return Math.signum(x) * (1 - erfc);
    }
}
