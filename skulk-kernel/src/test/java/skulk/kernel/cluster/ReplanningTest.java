package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeHealth;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology;
import skulk.api.fake.FakeClusterView;
import skulk.api.model.ModelCard;
import skulk.kernel.rank.Samples;

/** A node looks at its memory again before it loads, and what it refuses is tried elsewhere once. */
class ReplanningTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");

    private static NodeInfo node(long available) {
        return new FakeClusterView()
                .node("a", 100 * GB, available)
                .build()
                .nodes()
                .get(A);
    }

    private static Shard whole(long bytes) {
        ModelCard card = FakeClusterView.card("org/m", bytes, Optional.empty());
        return Shard.PipelineShardMetadata.of(card, 0, 1, 0, card.nLayers());
    }

    @Test
    void loadsUpToATenthBeyondWhatIsFree() {
        // 10 GB of weights need 13.27 GB
        assertEquals(Optional.empty(), LoadCheck.refusal(node(13 * GB), whole(10 * GB), List.of()));
        assertEquals(Optional.empty(), LoadCheck.refusal(node(12_100_000_000L), whole(10 * GB), List.of()));
        String why = LoadCheck.refusal(node(12 * GB), whole(10 * GB), List.of()).orElseThrow();
        assertEquals(
                "Not enough memory to load: org/m needs ~13.3GB (10.0GB weights + 0.0GB KV@8192tok + runtime headroom)"
                        + " but can use 12.0GB (min of available and 75% of RAM)",
                why);
        assertEquals(
                Optional.empty(),
                LoadCheck.refusal(node(2 * GB), whole(10 * GB), List.of(whole(9 * GB))),
                "what ends here frees its memory");
    }

    private static ClusterView view(Instance instance, Optional<RunnerStatus> first, Download... downloads) {
        Map<RunnerId, RunnerStatus> runners = new HashMap<>();
        first.ifPresent(
                status -> runners.put(instance.shardAssignments().nodeToRunner().get(A), status));
        Map<NodeId, List<Download>> byNode = new HashMap<>();
        for (Download download : downloads) {
            byNode.put(download.nodeId(), List.of(download));
        }
        return new ClusterView(
                A,
                Optional.of(A),
                1,
                List.of(A, B),
                Map.of(instance.instanceId(), instance),
                runners,
                Map.of(),
                byNode,
                Map.of(),
                Topology.EMPTY,
                Map.of(),
                false,
                0);
    }

    @Test
    void aRefusalIsTriedOnceOneNodeWider() {
        Replanning replanning = new Replanning();
        Instance instance = Samples.instance("org/m", A);
        ClusterView fine = view(instance, Optional.of(new RunnerStatus.RunnerIdle()));
        ClusterView crashed = view(instance, Optional.of(new RunnerStatus.RunnerFailed("Terminated (exitcode=1)")));
        ClusterView refused = view(instance, Optional.of(new RunnerStatus.RunnerFailed(LoadCheck.REFUSED + "why")));
        assertTrue(replanning.between(fine, crashed).isEmpty(), "a crash is another matter");
        assertEquals(List.of(new Replanning.Retry(instance, 2, Set.of())), replanning.between(crashed, refused));
        assertTrue(replanning.between(refused, refused).isEmpty(), "once");
        Instance successor = Samples.instance("org/m", A, B);
        replanning.last(successor);
        ClusterView again = view(successor, Optional.of(new RunnerStatus.RunnerFailed(LoadCheck.REFUSED + "why")));
        assertTrue(replanning.between(again, again).isEmpty(), "what comes of it stays");
    }

    @Test
    void aFailedDownloadIsTriedWithoutThatNode() {
        Replanning replanning = new Replanning();
        Instance instance = Samples.instance("org/m", A, B);
        Shard shard = instance.shardAssignments().shardOf(B);
        Download failed = new Download.DownloadFailed(B, shard, "/m", "no source has it");
        ClusterView before = view(instance, Optional.empty());
        ClusterView after = view(instance, Optional.empty(), failed);
        assertEquals(List.of(new Replanning.Retry(instance, 2, Set.of(B))), replanning.between(before, after));
        Instance other = Samples.instance("org/m", A, B);
        ClusterView old = view(other, Optional.empty(), failed);
        assertTrue(replanning.between(old, old).isEmpty(), "an old failure is the node's to try again");
    }

    @Test
    void healthSaysWhatWasRefused() {
        NodeHealth health = Health.of(node(GB), List.of(), Optional.of("why"), Instant.parse("2026-01-02T03:04:06Z"));
        assertEquals("placement_refused", health.reasons().getFirst().code());
        assertEquals("why", health.reasons().getFirst().message());
        assertEquals("warn", health.level());
    }
}
