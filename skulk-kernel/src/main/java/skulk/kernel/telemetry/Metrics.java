package skulk.kernel.telemetry;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import skulk.api.telemetry.Reading;

/** Sums, last values and histograms of readings by name and labels. Safe for use by several threads. */
final class Metrics {
    /** Upper bounds in seconds, those of the OpenTelemetry gen_ai conventions for request durations. */
    private static final double[] BOUNDS = {
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92
    };
    /** A name with more label sets than this is a mistake; further ones are left out. */
    private static final int MAX_SERIES = 1000;

    private final Map<String, Map<String, Series>> byName = new TreeMap<>();

    private static final class Series {
        private double value;
        private final long[] buckets = new long[BOUNDS.length + 1];
        private long count;
    }

    synchronized void record(Reading reading) {
        String name =
                switch (reading) {
                    case Reading.Count c -> c.name() + "_total";
                    case Reading.Level l -> l.name();
                    case Reading.Timing t -> t.name() + "_seconds";
                };
        Map<String, Series> family = byName.computeIfAbsent(name, n -> new TreeMap<>());
        String labels = labels(reading.labels());
        if (family.size() >= MAX_SERIES && !family.containsKey(labels)) {
            return;
        }
        Series series = family.computeIfAbsent(labels, l -> new Series());
        switch (reading) {
            case Reading.Count(var n, var l, long by) -> series.value += by;
            case Reading.Level(var n, var l, double value) -> series.value = value;
            case Reading.Timing(var n, var l, Duration took) -> observe(series, took.toNanos() / 1e9);
        }
    }

    private static void observe(Series series, double seconds) {
        int bucket = 0;
        while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
            bucket++;
        }
        series.buckets[bucket]++;
        series.count++;
        series.value += seconds;
    }

    private static String labels(Map<String, String> labels) {
        return new TreeMap<>(labels)
                .entrySet().stream()
                        .map(e -> e.getKey() + "=\"" + escaped(e.getValue()) + "\"")
                        .collect(Collectors.joining(","));
    }

    /** The value of a label in Prometheus' text format. */
    static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /** A number in Prometheus' text format. */
    static String text(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    synchronized String prometheus() {
        StringBuilder out = new StringBuilder();
        byName.forEach((name, family) -> {
            boolean histogram = name.endsWith("_seconds");
            String type = histogram ? "histogram" : name.endsWith("_total") ? "counter" : "gauge";
            out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
            family.forEach((labels, series) -> {
                if (histogram) {
                    histogram(out, name, labels, series);
                } else {
                    line(out, name, labels, series.value);
                }
            });
        });
        return out.toString();
    }

    private static void histogram(StringBuilder out, String name, String labels, Series series) {
        String more = labels.isEmpty() ? "" : labels + ",";
        long sum = 0;
        for (int i = 0; i < BOUNDS.length; i++) {
            sum += series.buckets[i];
            line(out, name + "_bucket", more + "le=\"" + BOUNDS[i] + "\"", sum);
        }
        line(out, name + "_bucket", more + "le=\"+Inf\"", series.count);
        line(out, name + "_sum", labels, series.value);
        line(out, name + "_count", labels, series.count);
    }

    private static void line(StringBuilder out, String name, String labels, double value) {
        out.append(name);
        if (!labels.isEmpty()) {
            out.append('{').append(labels).append('}');
        }
        out.append(' ').append(text(value)).append('\n');
    }
}
