package skulk.runner.mlx.embed;

/**
 * How the rows of a text become one vector, as the sentence-transformers library defines it. Sums run in the order of the
 * tokens.
 */
enum Pooling {
    /** The first row: {@code [CLS]} or {@code <s>}. */
    CLS("pooling_mode_cls_token"),
    MEAN("pooling_mode_mean_tokens"),
    MAX("pooling_mode_max_tokens"),
    /** The sum over the root of the count. */
    MEAN_SQRT_LENGTH("pooling_mode_mean_sqrt_len_tokens"),
    /** Row {@code i} counts {@code i + 1} times. */
    WEIGHTED_MEAN("pooling_mode_weightedmean_tokens"),
    LAST("pooling_mode_lasttoken");

    private final String flag;

    Pooling(String flag) {
        this.flag = flag;
    }

    /** The flag in {@code 1_Pooling/config.json}. */
    String flag() {
        return flag;
    }

    /** Pools {@code count} rows of {@code width}, the first of them at {@code at}. */
    float[] pool(float[] rows, int at, int count, int width) {
        return switch (this) {
            case CLS -> row(rows, at, width);
            case LAST -> row(rows, at + (count - 1) * width, width);
            case MAX -> max(rows, at, count, width);
            case MEAN -> sum(rows, at, count, width, 1.0 / count);
            case MEAN_SQRT_LENGTH -> sum(rows, at, count, width, 1 / Math.sqrt(count));
            case WEIGHTED_MEAN -> sum(rows, at, count, width, 2.0 / ((double) count * (count + 1)));
        };
    }

    private static float[] row(float[] rows, int at, int width) {
        return java.util.Arrays.copyOfRange(rows, at, at + width);
    }

    private static float[] max(float[] rows, int at, int count, int width) {
        float[] out = row(rows, at, width);
        for (int i = 1; i < count; i++) {
            for (int d = 0; d < width; d++) {
                out[d] = Math.max(out[d], rows[at + i * width + d]);
            }
        }
        return out;
    }

    private float[] sum(float[] rows, int at, int count, int width, double factor) {
        double[] sums = new double[width];
        for (int i = 0; i < count; i++) {
            int weight = this == WEIGHTED_MEAN ? i + 1 : 1;
            for (int d = 0; d < width; d++) {
                sums[d] += weight * (double) rows[at + i * width + d];
            }
        }
        float[] out = new float[width];
        for (int d = 0; d < width; d++) {
            out[d] = (float) (sums[d] * factor);
        }
        return out;
    }
}
