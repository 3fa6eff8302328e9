package skulk.http.openai;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import skulk.api.Cluster;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;

/**
 * Averages the reported power of the nodes that hold a model, from a sample at start, one a second and one at the end. A node that reports no power counts
 * as 0 W.
 */
final class PowerMeter {
    private final Cluster cluster;
    private final ModelId model;
    private final long started = System.nanoTime();
    private final Map<NodeId, Samples> samples = new TreeMap<>(Comparator.comparing(NodeId::value));
    private final ScheduledFuture<?> ticks;

    private record Samples(int count, double watts) {
        double average() {
            return watts / count;
        }
    }

    PowerMeter(Cluster cluster, ModelId model, ScheduledExecutorService timer) {
        this.cluster = cluster;
        this.model = model;
        sample();
        this.ticks = timer.scheduleAtFixedRate(this::sample, 1, 1, TimeUnit.SECONDS);
    }

    private synchronized void sample() {
        var view = cluster.view();
        view.instancesOf(model)
                .map(Instance::shardAssignments)
                .flatMap(shards -> shards.nodeToRunner().keySet().stream())
                .distinct()
                .forEach(node -> {
                    double watts = java.util.Optional.ofNullable(view.nodes().get(node))
                            .flatMap(info -> info.system())
                            .map(load -> load.sysPower())
                            .orElse(0.0);
                    samples.merge(
                            node,
                            new Samples(1, watts),
                            (a, b) -> new Samples(a.count() + b.count(), a.watts() + b.watts()));
                });
    }

    /** Ends without a report. */
    void stop() {
        ticks.cancel(false);
    }

    /** Takes the last sample and reports ({@code power_usage} of contract section 3). */
    JsonObject report() {
        stop();
        sample();
        double seconds = (System.nanoTime() - started) / 1e9;
        synchronized (this) {
            List<JsonObject> nodes = samples.entrySet().stream()
                    .map(e -> JsonObject.builder()
                            .put("node_id", e.getKey().value())
                            .put("samples", e.getValue().count())
                            .put("avg_sys_power", e.getValue().average())
                            .build())
                    .toList();
            double watts =
                    samples.values().stream().mapToDouble(Samples::average).sum();
            return JsonObject.builder()
                    .put("elapsed_seconds", seconds)
                    .put("nodes", nodes)
                    .put("total_avg_sys_power_watts", watts)
                    .put("total_energy_joules", watts * seconds)
                    .build();
        }
    }
}
