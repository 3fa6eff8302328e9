package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerConnected;
import skulk.api.cluster.RunnerStatus.RunnerConnecting;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.RunnerStatus.RunnerIdle;
import skulk.api.cluster.RunnerStatus.RunnerLoaded;
import skulk.api.cluster.RunnerStatus.RunnerLoading;
import skulk.api.cluster.RunnerStatus.RunnerReady;
import skulk.api.cluster.RunnerStatus.RunnerRunning;
import skulk.api.cluster.RunnerStatus.RunnerShutdown;
import skulk.api.cluster.RunnerStatus.RunnerShuttingDown;
import skulk.api.cluster.RunnerStatus.RunnerWarmingUp;
import skulk.api.cluster.Shard;
import skulk.kernel.rank.LocalRank;

/**
 * What this node has to do next, from the cluster's view and its own ranks: a pure function, asked after every change (contract section 1.2 has the order of a
 * rank's life). Asking twice without a change in between gives the same actions, which are then idempotent.
 */
public final class Planner {
    private Planner() {}

    /**
     * @param local the ranks on this node
     * @param endpoints which ranks of which instances are known to listen
     * @param deleted whether an instance that is not there was deleted by somebody
     */
    public static List<Action> plan(
            ClusterView view,
            List<LocalRank> local,
            Map<InstanceId, Set<Integer>> endpoints,
            Predicate<InstanceId> deleted) {
        Map<RunnerId, LocalRank> byRunner = new HashMap<>();
        local.forEach(rank -> byRunner.put(rank.runner(), rank));
        List<Action> actions = new ArrayList<>();
        for (LocalRank rank : local) {
            if (!wanted(view, rank) && !(rank.status() instanceof RunnerShuttingDown)) {
                actions.add(new Action.StopRank(rank.runner(), !deleted.test(rank.instance())));
            }
        }
        for (Instance instance : view.instances().values()) {
            RunnerId runner = instance.shardAssignments().nodeToRunner().get(view.self());
            if (runner != null) {
                Shard shard = instance.shardAssignments().runnerToShard().get(runner);
                if (!byRunner.containsKey(runner)) {
                    fetch(view, shard).ifPresent(actions::add);
                }
                next(view, instance, shard, Optional.ofNullable(byRunner.get(runner)), endpoints)
                        .ifPresent(actions::add);
            }
        }
        return actions;
    }

    private static boolean wanted(ClusterView view, LocalRank rank) {
        Instance instance = view.instances().get(rank.instance());
        return instance != null
                && rank.runner()
                        .equals(instance.shardAssignments().nodeToRunner().get(view.self()));
    }

    /** An evicted copy is pending again; what was fetched for another shard does not do. A failed one is tried again with the next placement, see {@link Supervisor#applied}. */
    private static Optional<Action> fetch(ClusterView view, Shard shard) {
        Optional<Download> known = download(view, view.self(), shard);
        return known.isEmpty() || known.get() instanceof Download.DownloadPending
                ? Optional.of(new Action.Fetch(shard))
                : Optional.empty();
    }

    private static Optional<Action> next(
            ClusterView view,
            Instance instance,
            Shard shard,
            Optional<LocalRank> local,
            Map<InstanceId, Set<Integer>> endpoints) {
        RunnerId runner = instance.shardAssignments().nodeToRunner().get(view.self());
        if (local.isEmpty()) {
            return complete(view, view.self(), shard)
                    ? Optional.of(new Action.CreateRank(instance, runner, shard))
                    : Optional.empty();
        }
        LocalRank rank = local.get();
        boolean alone = shard.worldSize() == 1;
        return switch (rank.status()) {
            case RunnerIdle idle when !rank.up() -> Optional.empty();
            case RunnerIdle idle when alone -> load(view, instance, rank);
            case RunnerIdle idle -> connect(view, instance, shard, rank, endpoints);
            case RunnerConnected connected -> load(view, instance, rank);
            case RunnerLoading l -> startOver(view, instance, rank);
            case RunnerLoaded l -> startOver(view, instance, rank);
            case RunnerWarmingUp w -> startOver(view, instance, rank);
            case RunnerReady r -> startOver(view, instance, rank);
            case RunnerRunning r -> startOver(view, instance, rank);
            case RunnerConnecting c -> Optional.empty();
            case RunnerShuttingDown s -> Optional.empty();
            case RunnerShutdown s -> Optional.empty();
            case RunnerFailed f -> Optional.empty();
        };
    }

    private static Optional<Action> load(ClusterView view, Instance instance, LocalRank rank) {
        boolean allHave = instance.shardAssignments().nodeToRunner().entrySet().stream()
                .allMatch(e -> complete(
                        view,
                        e.getKey(),
                        instance.shardAssignments().runnerToShard().get(e.getValue())));
        return allHave && !rank.loadOrdered() ? Optional.of(new Action.LoadRank(rank.runner())) : Optional.empty();
    }

    /** The last rank connects once the others wait for it. */
    private static Optional<Action> connect(
            ClusterView view, Instance instance, Shard shard, LocalRank rank, Map<InstanceId, Set<Integer>> endpoints) {
        boolean known = endpoints.getOrDefault(instance.instanceId(), Set.of()).size() == shard.worldSize();
        boolean last = shard.deviceRank() == shard.worldSize() - 1;
        boolean willing = peers(view, instance, rank)
                .allMatch(s -> s instanceof RunnerConnecting
                        || s instanceof RunnerConnected
                        || (!last && s instanceof RunnerIdle));
        return known && willing && !rank.connectOrdered()
                ? Optional.of(new Action.ConnectRank(instance, rank.runner()))
                : Optional.empty();
    }

    /** A rank that has lost a peer is of no use; it starts over, so that the group can connect again. */
    private static Optional<Action> startOver(ClusterView view, Instance instance, LocalRank rank) {
        return peers(view, instance, rank).anyMatch(RunnerFailed.class::isInstance)
                ? Optional.of(new Action.StopRank(rank.runner(), true))
                : Optional.empty();
    }

    private static java.util.stream.Stream<RunnerStatus> peers(ClusterView view, Instance instance, LocalRank rank) {
        return instance.shardAssignments().runnerToShard().keySet().stream()
                .filter(r -> !r.equals(rank.runner()))
                .map(r -> view.runners().getOrDefault(r, new RunnerShutdown()));
    }

    /** The word on a shard's files: they are here, maybe as part of more; else how fetching them goes. */
    private static Optional<Download> download(ClusterView view, NodeId node, Shard shard) {
        List<Download> told = view.downloads().getOrDefault(node, List.of());
        return told.stream()
                .filter(d -> d instanceof Download.DownloadCompleted
                        && d.shardMetadata().covers(shard))
                .findFirst()
                .or(() ->
                        told.stream().filter(d -> d.shardMetadata().same(shard)).findFirst());
    }

    private static boolean complete(ClusterView view, NodeId node, Shard shard) {
        return download(view, node, shard)
                .filter(Download.DownloadCompleted.class::isInstance)
                .isPresent();
    }
}
