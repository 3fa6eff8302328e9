package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.List;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** A value over time. One thread. */
final class Track {
    private final List<double[]> points = new ArrayList<>();

    void add(double seconds, double value) {
        points.add(new double[] {seconds, value});
    }

    boolean told() {
        return !points.isEmpty();
    }

    /**
     * Start, smallest, largest, end and trend of what was told. The trend is the slope of the least-squares line through the second half: the first half shows caches and compilers
     * that fill.
     */
    JsonObject toJson() {
        double min = points.stream().mapToDouble(p -> p[1]).min().orElse(0);
        double max = points.stream().mapToDouble(p -> p[1]).max().orElse(0);
        return JsonObject.builder()
                .put("start", points.getFirst()[1])
                .put("min", min)
                .put("max", max)
                .put("end", points.getLast()[1])
                .put("min_by_quarter", quarters())
                .put("slope_per_hour", Sample.round(3600 * slope(points.subList(points.size() / 2, points.size()))))
                .build();
    }

    /** What garbage and bursts leave standing. */
    private JsonArray quarters() {
        List<Double> least = new ArrayList<>();
        for (int quarter = 0; quarter < 4; quarter++) {
            List<double[]> part =
                    points.subList(points.size() * quarter / 4, Math.max(1, points.size() * (quarter + 1) / 4));
            least.add(part.stream().mapToDouble(p -> p[1]).min().orElse(points.getFirst()[1]));
        }
        return JsonArray.of(least.toArray());
    }

    private static double slope(List<double[]> line) {
        double time = line.stream().mapToDouble(p -> p[0]).average().orElse(0);
        double value = line.stream().mapToDouble(p -> p[1]).average().orElse(0);
        double across =
                line.stream().mapToDouble(p -> (p[0] - time) * (p[0] - time)).sum();
        double along =
                line.stream().mapToDouble(p -> (p[0] - time) * (p[1] - value)).sum();
        return across == 0 ? 0 : along / across;
    }
}
