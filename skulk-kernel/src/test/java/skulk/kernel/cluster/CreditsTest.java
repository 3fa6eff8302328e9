package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerIdle;
import skulk.api.cluster.RunnerStatus.RunnerReady;
import skulk.api.cluster.RunnerStatus.RunnerShutdown;
import skulk.api.cluster.Topology;
import skulk.api.placement.ModelDemand;
import skulk.kernel.rank.Samples;

class CreditsTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final long AVAILABLE = 1L << 30;
    private static final long TOTAL = 4L << 30;

    private final Credits credits = new Credits();
    private final Instance instance = Samples.instance("org/m", A, B);
    private final RunnerId onA = instance.shardAssignments().nodeToRunner().get(A);

    private static NodeInfo info(Instant seen) {
        Memory swap = new Memory(0);
        return new NodeInfo(
                seen,
                Optional.empty(),
                Optional.of(new NodeInfo.MemoryUsage(new Memory(TOTAL), new Memory(AVAILABLE), swap, swap)),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    private static ClusterView view(
            Instant seen, Map<InstanceId, Instance> instances, Map<RunnerId, RunnerStatus> runners) {
        return new ClusterView(
                A,
                Optional.of(A),
                1,
                List.of(A, B),
                instances,
                runners,
                Map.of(),
                Map.of(),
                Map.of(A, info(seen), B, info(seen)),
                Topology.EMPTY,
                Map.of(),
                false,
                0);
    }

    private ClusterView deleted(RunnerStatus status) {
        ClusterView before = view(
                BEGIN,
                Map.of(instance.instanceId(), instance),
                Map.of(onA, status, instance.shardAssignments().nodeToRunner().get(B), new RunnerIdle()));
        ClusterView after = view(BEGIN, Map.of(), Map.of());
        credits.between(before, after, BEGIN);
        return after;
    }

    private long available(ClusterView view, NodeId node, long second) {
        return credits.applyTo(view, BEGIN.plusSeconds(second))
                .nodes()
                .get(node)
                .memory()
                .orElseThrow()
                .ramAvailable()
                .inBytes();
    }

    @Test
    void whatADeletedInstanceHoldsCountsAsFreeForThirtySeconds() {
        ClusterView after = deleted(new RunnerReady());
        long freed = ModelDemand.of(Samples.card("org/m")).required(0.5);
        assertEquals(AVAILABLE + freed, available(after, A, 0));
        assertEquals(AVAILABLE + freed, available(after, A, 29));
        assertEquals(AVAILABLE, available(after, A, 30));
        assertEquals(AVAILABLE, available(after, B, 0), "its rank has loaded nothing");
    }

    @Test
    void aReadingTakenAfterTheEndOfTheRankTellsForItself() {
        ClusterView after = deleted(new RunnerReady());
        credits.applied(new Event.RunnerStatusUpdated(onA, new RunnerShutdown()), BEGIN.plusSeconds(3));
        assertEquals(AVAILABLE + ModelDemand.of(Samples.card("org/m")).required(0.5), available(after, A, 4));
        ClusterView told = view(BEGIN.plusMillis(4001), Map.of(), Map.of());
        assertEquals(AVAILABLE, available(told, A, 5), "the memory is in the reading, and counts once");
    }

    @Test
    void nothingIsCreditedBeyondWhatThereIs() {
        for (int i = 0; i < 20; i++) {
            Instance other = Samples.instance("org/m" + i, A);
            RunnerId runner = other.shardAssignments().nodeToRunner().get(A);
            credits.between(
                    view(BEGIN, Map.of(other.instanceId(), other), Map.of(runner, new RunnerReady())),
                    view(BEGIN, Map.of(), Map.of()),
                    BEGIN);
        }
        assertEquals(TOTAL, available(view(BEGIN, Map.of(), Map.of()), A, 1));
    }
}
