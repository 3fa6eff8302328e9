package skulk.kernel.operation;

import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerShutdown;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.operation.Operation.ConfigWritten;
import skulk.api.operation.Operation.NodeFacts;
import skulk.api.operation.Operation.Readiness;
import skulk.api.operation.Operation.RestartReply;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.api.telemetry.Reading;
import skulk.kernel.config.ConfigurationFile;
import skulk.kernel.rank.RankReport;
import skulk.kernel.telemetry.EngineMetrics;
import skulk.kernel.telemetry.ProcessMemory;

/** The node's own life: restart, readiness, configuration, metrics, facts. */
final class NodeLife {
    /** Longest time without a sign of life of a rank before the node counts as not ready. */
    private static final Duration STUCK = Duration.ofMillis(1500);

    /** Longest time that a scrape waits for the ranks. */
    private static final Duration REPORT = Duration.ofSeconds(1);

    private static final System.Logger LOG = System.getLogger(NodeLife.class.getName());

    private final Kit kit;
    private final Peers peers;

    NodeLife(Kit kit, Peers peers) {
        this.kit = kit;
        this.peers = peers;
    }

    RestartReply restart(Optional<NodeId> node) {
        NodeId target = node.orElse(peers.self());
        boolean begun = peers.isSelf(target)
                ? kit.node().control().restart()
                : peers.ask(target, "restart", JsonObject.EMPTY).equals(new JsonBoolean(true));
        if (!begun) {
            throw new SkulkException(Problem.of(
                    Problem.Kind.CONFLICT,
                    "restart_already_pending",
                    "A restart of node %s is pending already".formatted(target)));
        }
        return new RestartReply(peers.isSelf(target) ? "restarting" : "restart_sent", target);
    }

    Readiness readiness() {
        ClusterView view = kit.cluster().view();
        List<String> reasons = new ArrayList<>();
        if (view.members().isEmpty()) {
            reasons.add("the node has not joined its cluster");
        }
        for (Instance instance : view.instances().values()) {
            var assignments = instance.shardAssignments();
            if (assignments.nodeToRunner().containsKey(view.self())) {
                assignments.runnerToShard().forEach((runner, shard) -> {
                    RunnerStatus status = view.runners().getOrDefault(runner, new RunnerShutdown());
                    if (!status.serving()) {
                        reasons.add("%s: rank %d is %s"
                                .formatted(
                                        instance.modelId(),
                                        shard.deviceRank(),
                                        status.getClass().getSimpleName()));
                    }
                });
            }
        }
        reasons.addAll(kit.ranks().stuck(STUCK));
        return new Readiness(reasons.isEmpty(), reasons);
    }

    /** Writes here, which also checks it, then on all other nodes; tells those that could not. */
    ConfigWritten writeConfig(JsonObject config) {
        ConfigWritten here = kit.node().control().writeConfig(config);
        StringBuilder message = new StringBuilder(here.message());
        boolean restart = here.requiresRestart();
        List<String> failed = new ArrayList<>();
        for (var answer : peers.askOthers("config", ConfigurationFile.shared(config), Peers.PATIENCE)
                .entrySet()) {
            if (answer.getValue().ok()) {
                restart |= Records.fromJson(answer.getValue().body(), ConfigWritten.class)
                        .requiresRestart();
            } else {
                failed.add(
                        peers.name(answer.getKey()) + ": " + answer.getValue().error());
            }
        }
        if (restart) {
            message.append("; restart the nodes to apply it");
        }
        if (!failed.isEmpty()) {
            message.append(". Not saved on ").append(String.join("; on ", failed));
        }
        return new ConfigWritten(message.toString(), restart);
    }

    String metrics() {
        ClusterView view = kit.cluster().view();
        level("skulk_cluster_nodes", Map.of(), view.members().size());
        level("skulk_cluster_instances", Map.of(), view.instances().size());
        level("skulk_events_logged", Map.of(), kit.log().count());
        level("skulk_event_log_counting_only", Map.of(), kit.log().countingOnly() ? 1 : 0);
        level("skulk_requests_in_flight", Map.of(), kit.dispatcher().commands().size());
        ProcessMemory memory = ProcessMemory.now();
        level("process_resident_memory_bytes", Map.of(), memory.residentBytes());
        level("skulk_node_heap_bytes", Map.of(), memory.heapBytes());
        level("skulk_node_heap_live_bytes", Map.of(), memory.heapLiveBytes());
        NodeInfo self = view.nodes().get(view.self());
        if (self != null) {
            self.memory()
                    .ifPresent(m -> level(
                            "skulk_node_memory_available_bytes",
                            Map.of(),
                            m.ramAvailable().inBytes()));
            self.disk()
                    .ifPresent(d -> level(
                            "skulk_node_disk_available_bytes",
                            Map.of(),
                            d.available().inBytes()));
        }
        return kit.telemetry().prometheus() + EngineMetrics.prometheus(engines());
    }

    /** What the ranks of this node report; those that do not answer in time are left out. */
    private Map<Map<String, String>, JsonObject> engines() {
        Map<Map<String, String>, CompletableFuture<Json>> asked = new LinkedHashMap<>();
        for (RankReport rank : kit.ranks().reports()) {
            if (rank.status().serving()) {
                Map<String, String> labels = Map.of(
                        "model", rank.spec().instance().modelId().value(),
                        "instance", rank.spec().instance().instanceId().value(),
                        "rank", Integer.toString(rank.spec().shard().deviceRank()));
                kit.ranks().report(rank.spec().runner()).ifPresent(answer -> asked.put(labels, answer));
            }
        }
        Map<Map<String, String>, JsonObject> reports = new LinkedHashMap<>();
        long until = System.nanoTime() + REPORT.toNanos();
        asked.forEach((labels, answer) -> {
            try {
                Json report = answer.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (report instanceof JsonObject object) {
                    reports.put(labels, object);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException e) {
                LOG.log(Level.DEBUG, "no report of {0}: {1}", labels, e.toString());
            }
        });
        return reports;
    }

    private void level(String name, Map<String, String> labels, double value) {
        kit.telemetry().set(new Reading.Level(name, labels, value));
    }

    NodeFacts facts() {
        NodeInfo info = kit.cluster().view().nodes().get(peers.self());
        String address = Optional.ofNullable(info).stream()
                .flatMap(i -> i.network().stream())
                .map(NodeInfo.NetworkInterface::ipAddress)
                .min(java.util.Comparator.comparing(a -> a.contains(":"))) // IPv4 before IPv6
                .orElse("127.0.0.1");
        return new NodeFacts(
                peers.self(),
                hostname(),
                address,
                info == null
                        ? hostname()
                        : info.identity().map(NodeInfo.Identity::friendlyName).orElse(hostname()),
                kit.node().control().apiPort(),
                info == null
                        ? ""
                        : info.identity().map(NodeInfo.Identity::skulkVersion).orElse(""),
                kit.node().home().data().toString());
    }

    static String hostname() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
