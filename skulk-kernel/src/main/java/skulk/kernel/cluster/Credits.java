package skulk.kernel.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeInfo.MemoryUsage;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.RunnerStatus.RunnerIdle;
import skulk.api.cluster.Shard;
import skulk.api.placement.ModelDemand;

/**
 * Memory that deleted instances are about to give back (contract section 9.2): for 30 seconds placements count it as free, so that a model can be placed where another
 * one is just leaving. A credit ends early, once its rank has ended and its node has told its memory since. The node looks again itself before it loads, see
 * {@link LoadCheck}. Changed on the control thread, read by any.
 */
final class Credits {
    static final Duration LIFE = Duration.ofSeconds(30);
    /** A reading that came this long after the end of a rank was taken after it. */
    private static final Duration READING = Duration.ofSeconds(1);

    private final Map<RunnerId, Credit> credits = new ConcurrentHashMap<>();

    private record Credit(NodeId node, long bytes, Instant since, Optional<Instant> ended) {
        boolean counts(ClusterView view, Instant now) {
            NodeInfo info = view.nodes().get(node);
            boolean told = info != null
                    && ended.filter(end -> info.lastSeen().isAfter(end.plus(READING)))
                            .isPresent();
            return !told && now.isBefore(since.plus(LIFE));
        }
    }

    /** Notes what one view has that the next has not. */
    void between(ClusterView before, ClusterView after, Instant now) {
        credits.values().removeIf(credit -> !credit.counts(after, now));
        for (Instance instance : before.instances().values()) {
            if (!after.instances().containsKey(instance.instanceId())) {
                instance.shardAssignments().nodeToRunner().forEach((node, runner) -> {
                    if (holds(before.runners().get(runner))) {
                        Shard shard =
                                instance.shardAssignments().runnerToShard().get(runner);
                        long bytes = ModelDemand.of(shard.modelCard()).required(ModelDemand.share(shard));
                        credits.putIfAbsent(runner, new Credit(node, bytes, now, Optional.empty()));
                    }
                });
            }
        }
    }

    /** What holds no weights has none to give back. */
    private static boolean holds(RunnerStatus status) {
        return status != null && !(status instanceof RunnerIdle) && !(status instanceof RunnerFailed);
    }

    /** The word on the end of a rank comes after its instance has gone. */
    void applied(Event event, Instant now) {
        if (event instanceof Event.RunnerStatusUpdated(RunnerId runner, RunnerStatus.RunnerShutdown s)) {
            credits.computeIfPresent(
                    runner, (r, credit) -> new Credit(credit.node(), credit.bytes(), credit.since(), Optional.of(now)));
        }
    }

    /** A view in which credits count as memory that is available. */
    ClusterView applyTo(ClusterView view, Instant now) {
        Map<NodeId, Long> byNode = new HashMap<>();
        for (Credit credit : credits.values()) {
            if (credit.counts(view, now)) {
                byNode.merge(credit.node(), credit.bytes(), Long::sum);
            }
        }
        if (byNode.isEmpty()) {
            return view;
        }
        Map<NodeId, NodeInfo> nodes = new HashMap<>(view.nodes());
        byNode.forEach((node, bytes) -> nodes.computeIfPresent(node, (n, info) -> credited(info, bytes)));
        return new ClusterView(
                view.self(),
                view.master(),
                view.epoch(),
                view.members(),
                view.instances(),
                view.runners(),
                view.tasks(),
                view.downloads(),
                nodes,
                view.topology(),
                view.nodeHealth(),
                view.tracingEnabled(),
                view.lastEventAppliedIdx());
    }

    private static NodeInfo credited(NodeInfo info, long bytes) {
        Optional<MemoryUsage> memory = info.memory()
                .map(m -> new MemoryUsage(
                        m.ramTotal(),
                        new Memory(Math.min(
                                m.ramTotal().inBytes(), m.ramAvailable().inBytes() + bytes)),
                        m.swapTotal(),
                        m.swapAvailable()));
        return new NodeInfo(
                info.lastSeen(), info.identity(), memory, info.disk(), info.system(), info.network(), info.resources());
    }
}
