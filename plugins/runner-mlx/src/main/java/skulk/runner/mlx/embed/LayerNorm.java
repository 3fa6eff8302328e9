package skulk.runner.mlx.embed;

/**
 * {@code (x - mean) / sqrt(variance + eps) * weight + bias} over a row. Sums run in double precision and four fixed strands,
 * which processors compute side by side; every row is summed in the same order.
 */
record LayerNorm(float[] weight, float[] bias, double eps) {

    /** Normalises the row at {@code at} in place. */
    void apply(float[] x, int at) {
        int length = weight.length;
        float mean = (float) (sum(x, at) / length);
        float scale = (float) (1 / Math.sqrt(squares(x, at, mean) / length + eps));
        for (int i = 0; i < length; i++) {
            x[at + i] = (x[at + i] - mean) * scale * weight[i] + bias[i];
        }
    }

    private double sum(float[] x, int at) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int end = at + weight.length;
        int i = at;
        for (; i + 4 <= end; i += 4) {
            s0 += x[i];
            s1 += x[i + 1];
            s2 += x[i + 2];
            s3 += x[i + 3];
        }
        for (; i < end; i++) {
            s0 += x[i];
        }
        return s0 + s1 + (s2 + s3);
    }

    private double squares(float[] x, int at, float mean) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int end = at + weight.length;
        int i = at;
        for (; i + 4 <= end; i += 4) {
            double d0 = x[i] - mean;
            double d1 = x[i + 1] - mean;
            double d2 = x[i + 2] - mean;
            double d3 = x[i + 3] - mean;
            s0 += d0 * d0;
            s1 += d1 * d1;
            s2 += d2 * d2;
            s3 += d3 * d3;
        }
        for (; i < end; i++) {
            double d = x[i] - mean;
            s0 += d * d;
        }
        return s0 + s1 + (s2 + s3);
    }
}
