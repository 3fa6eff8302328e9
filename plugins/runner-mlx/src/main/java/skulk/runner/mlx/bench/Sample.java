package skulk.runner.mlx.bench;

import java.util.Arrays;
import java.util.Collection;
import skulk.api.json.JsonObject;

/** Measured values in ascending order. */
record Sample(double[] sorted) {

    static Sample of(Collection<? extends Number> values) {
        return new Sample(
                values.stream().mapToDouble(Number::doubleValue).sorted().toArray());
    }

    /** The value below which share {@code p} (0..1) lies, by nearest rank; NaN where nothing was measured. */
    double percentile(double p) {
        if (sorted.length == 0) {
            return Double.NaN;
        }
        int rank = (int) Math.ceil(p * sorted.length);
        return sorted[Math.clamp(rank - 1, 0, sorted.length - 1)];
    }

    double median() {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1
                ? sorted[middle]
                : sorted.length == 0 ? Double.NaN : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Median and extremes; empty where nothing was measured. */
    JsonObject spread() {
        if (sorted.length == 0) {
            return JsonObject.EMPTY;
        }
        return JsonObject.builder()
                .put("median", round(median()))
                .put("min", round(sorted[0]))
                .put("max", round(sorted[sorted.length - 1]))
                .put("count", (long) sorted.length)
                .build();
    }

    /** Median and high percentiles; empty where nothing was measured. */
    JsonObject percentiles() {
        if (sorted.length == 0) {
            return JsonObject.EMPTY;
        }
        return JsonObject.builder()
                .put("p50", round(percentile(0.5)))
                .put("p90", round(percentile(0.9)))
                .put("p99", round(percentile(0.99)))
                .put("max", round(sorted[sorted.length - 1]))
                .build();
    }

    /** Four significant digits: more would be noise. */
    static double round(double value) {
        return Double.isFinite(value) ? Double.parseDouble(String.format(java.util.Locale.ROOT, "%.4g", value)) : 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Sample s && Arrays.equals(sorted, s.sorted);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sorted);
    }
}
