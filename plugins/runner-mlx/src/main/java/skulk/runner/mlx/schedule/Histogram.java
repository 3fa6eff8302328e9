package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** How often values fell into ranges. One thread observes, any may read. */
final class Histogram {
    /** Seconds to a first token; OpenTelemetry's bounds for generative models, widened for machines without accelerator. */
    static final double[] FIRST_TOKEN = {
        0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80
    };
    /** Seconds between tokens; OpenTelemetry's bounds. */
    static final double[] BETWEEN_TOKENS = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5
    };
    /** Sequences in a step. */
    static final double[] BATCH = {1, 2, 4, 8, 16, 32, 64};

    private final double[] bounds;
    private final AtomicLongArray counts;
    private volatile double sum;

    /** @param bounds inclusive upper ends in ascending order; what lies above the last is counted too */
    Histogram(double[] bounds) {
        this.bounds = bounds;
        this.counts = new AtomicLongArray(bounds.length + 1);
    }

    void observe(double value) {
        int bucket = 0;
        while (bucket < bounds.length && value > bounds[bucket]) {
            bucket++;
        }
        counts.setRelease(bucket, counts.getPlain(bucket) + 1);
        sum += value; // one writer
    }

    void observeNanos(long nanos) {
        observe(nanos / 1e9);
    }

    /** {@code bounds}, {@code counts} (one more than bounds) and {@code sum}, as {@code skulk.api.Runner#report} says. */
    JsonObject toJson() {
        List<Long> values = new ArrayList<>();
        for (int i = 0; i < counts.length(); i++) {
            values.add(counts.getAcquire(i));
        }
        List<Double> ends = new ArrayList<>();
        for (double bound : bounds) {
            ends.add(bound);
        }
        return JsonObject.builder()
                .put("bounds", JsonArray.of(ends.toArray()))
                .put("counts", JsonArray.of(values.toArray()))
                .put("sum", sum)
                .build();
    }
}
