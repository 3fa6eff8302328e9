package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerConnected;
import skulk.api.cluster.RunnerStatus.RunnerConnecting;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.RunnerStatus.RunnerIdle;
import skulk.api.cluster.RunnerStatus.RunnerReady;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology;
import skulk.kernel.rank.LocalRank;
import skulk.kernel.rank.Samples;

class PlannerTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");

    private static ClusterView view(
            NodeId self, Instance instance, Map<RunnerId, RunnerStatus> runners, NodeId... complete) {
        Map<NodeId, List<Download>> downloads = new HashMap<>();
        for (NodeId node : complete) {
            Shard shard = instance.shardAssignments().shardOf(node);
            downloads.put(node, List.of(new Download.DownloadCompleted(node, shard, "/m", Memory.NONE, true)));
        }
        return new ClusterView(
                self,
                Optional.of(A),
                1,
                List.of(A, B),
                Map.of(instance.instanceId(), instance),
                runners,
                Map.of(),
                downloads,
                Map.of(),
                Topology.EMPTY,
                Map.of(),
                false,
                0);
    }

    private static LocalRank rank(Instance instance, NodeId node, RunnerStatus status) {
        return new LocalRank(
                instance.shardAssignments().nodeToRunner().get(node),
                instance.instanceId(),
                status,
                true,
                false,
                false,
                true);
    }

    private static List<Action> plan(ClusterView view, List<LocalRank> local, Map<InstanceId, Set<Integer>> endpoints) {
        return Planner.plan(view, local, endpoints, id -> true);
    }

    private static RunnerId runner(Instance instance, NodeId node) {
        return instance.shardAssignments().nodeToRunner().get(node);
    }

    @Test
    void fetchesThenCreatesThenLoads() {
        Instance instance = Samples.instance("org/m", A);
        assertInstanceOf(
                Action.Fetch.class,
                plan(view(A, instance, Map.of()), List.of(), Map.of()).getFirst());
        assertInstanceOf(
                Action.CreateRank.class,
                plan(view(A, instance, Map.of(), A), List.of(), Map.of()).getFirst());
        List<LocalRank> idle = List.of(rank(instance, A, new RunnerIdle()));
        assertEquals(
                List.of(new Action.LoadRank(runner(instance, A))),
                plan(view(A, instance, Map.of(), A), idle, Map.of()));
        LocalRank silent =
                new LocalRank(runner(instance, A), instance.instanceId(), new RunnerIdle(), false, false, false, false);
        assertTrue(
                plan(view(A, instance, Map.of(), A), List.of(silent), Map.of()).isEmpty(), "not up yet");
        List<LocalRank> ready = List.of(rank(instance, A, new RunnerReady()));
        assertTrue(plan(view(A, instance, Map.of(), A), ready, Map.of()).isEmpty());
        List<LocalRank> failed = List.of(rank(instance, A, new RunnerFailed("x")));
        assertTrue(plan(view(A, instance, Map.of(), A), failed, Map.of()).isEmpty(), "failed stays failed");
    }

    @Test
    void fetchesAnEvictedCopyAgainButNotAFailedOne() {
        Instance instance = Samples.instance("org/m", A);
        Shard shard = instance.shardAssignments().shardOf(A);
        ClusterView pending = with(
                view(A, instance, Map.of()), new Download.DownloadPending(A, shard, "/m", Memory.NONE, new Memory(1)));
        assertEquals(List.of(new Action.Fetch(shard)), plan(pending, List.of(), Map.of()));
        ClusterView failed =
                with(view(A, instance, Map.of()), new Download.DownloadFailed(A, shard, "/m", "no source has it"));
        assertTrue(plan(failed, List.of(), Map.of()).isEmpty());
    }

    private static ClusterView with(ClusterView view, Download download) {
        return new ClusterView(
                view.self(),
                view.master(),
                view.epoch(),
                view.members(),
                view.instances(),
                view.runners(),
                view.tasks(),
                Map.of(view.self(), List.of(download)),
                view.nodes(),
                view.topology(),
                view.nodeHealth(),
                view.tracingEnabled(),
                view.lastEventAppliedIdx());
    }

    @Test
    void stopsWhatNoInstanceNames() {
        ClusterView view = view(A, Samples.instance("org/m", A), Map.of(), A);
        Instance other = Samples.instance("org/old", A);
        List<LocalRank> local = List.of(rank(other, A, new RunnerReady()));
        for (boolean deleted : new boolean[] {true, false}) {
            List<Action> actions = Planner.plan(view, local, Map.of(), id -> deleted);
            assertTrue(actions.contains(new Action.StopRank(runner(other, A), !deleted)));
        }
    }

    @Test
    void theLastRankConnectsOnceTheOthersWait() {
        Instance instance = Samples.instance("org/m", A, B);
        var known = Map.of(instance.instanceId(), Set.of(0, 1));
        List<LocalRank> last = List.of(rank(instance, B, new RunnerIdle()));
        Map<RunnerId, RunnerStatus> idle = Map.of(runner(instance, A), new RunnerIdle());
        assertTrue(plan(view(B, instance, idle, A, B), last, known).isEmpty());
        Map<RunnerId, RunnerStatus> waiting = Map.of(runner(instance, A), new RunnerConnecting());
        assertEquals(
                List.of(new Action.ConnectRank(instance, runner(instance, B))),
                plan(view(B, instance, waiting, A, B), last, known));
        assertTrue(plan(view(B, instance, waiting, A, B), last, Map.of()).isEmpty(), "nobody's address is known");
        List<LocalRank> first = List.of(rank(instance, A, new RunnerIdle()));
        assertEquals(
                List.of(new Action.ConnectRank(instance, runner(instance, A))),
                plan(view(A, instance, Map.of(runner(instance, B), new RunnerIdle()), A, B), first, known));
    }

    @Test
    void loadsOnlyWhenEveryNodeHasTheFiles() {
        Instance instance = Samples.instance("org/m", A, B);
        List<LocalRank> connected = List.of(rank(instance, A, new RunnerConnected()));
        Map<RunnerId, RunnerStatus> peer = Map.of(runner(instance, B), new RunnerConnected());
        assertTrue(plan(view(A, instance, peer, A), connected, Map.of()).isEmpty());
        assertEquals(
                List.of(new Action.LoadRank(runner(instance, A))),
                plan(view(A, instance, peer, A, B), connected, Map.of()));
    }

    @Test
    void aRankWhosePeerFailedStartsOverButDoesNotConnectToIt() {
        Instance instance = Samples.instance("org/m", A, B);
        Map<RunnerId, RunnerStatus> failed = Map.of(runner(instance, B), new RunnerFailed("gone"));
        assertEquals(
                List.of(new Action.StopRank(runner(instance, A), true)),
                plan(view(A, instance, failed, A, B), List.of(rank(instance, A, new RunnerReady())), Map.of()));
        assertTrue(plan(
                        view(A, instance, failed, A, B),
                        List.of(rank(instance, A, new RunnerIdle())),
                        Map.of(instance.instanceId(), Set.of(0, 1)))
                .isEmpty());
    }
}
