package skulk.placement.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;
import static skulk.api.fake.FakeClusterView.card;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementDecision.Refuse;
import skulk.api.cluster.PlacementDecision.Wait;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.fake.FakeClusterView;
import skulk.api.fake.FakeContext;
import skulk.api.model.ModelCard;

class PipelinePlacementTest {
    private static final Optional<Integer> HEADS = Optional.of(8);

    private final PipelinePlacement strategy = new PipelinePlacement(false);

    private PlacementDecision place(ModelCard card, FakeClusterView view, int minNodes, String... excluded) {
        return place(card, view, InstanceMeta.MLX_RING, minNodes, excluded);
    }

    private PlacementDecision place(
            ModelCard card, FakeClusterView view, InstanceMeta meta, int minNodes, String... excluded) {
        Set<NodeId> out =
                Set.copyOf(java.util.Arrays.stream(excluded).map(NodeId::new).toList());
        ClusterView cluster = view.build();
        return strategy.place(
                new PlacementRequest(
                        card, Sharding.PIPELINE, meta, minNodes, out, Optional.empty(), new InstanceId("instance-1")),
                cluster);
    }

    private static List<String> nodes(PlacementDecision decision) {
        return assertInstanceOf(Place.class, decision, decision::toString)
                .instance()
                .shardAssignments()
                .nodesByRank()
                .stream()
                .map(NodeId::value)
                .toList();
    }

    private static String refusal(PlacementDecision decision) {
        return assertInstanceOf(Refuse.class, decision).reason();
    }

    private static String waiting(PlacementDecision decision) {
        return assertInstanceOf(Wait.class, decision).reason();
    }

    @Test
    void startsAndStopsTwice() throws Exception {
        for (int i = 0; i < 2; i++) {
            PipelinePlugin plugin = new PipelinePlugin();
            assertEquals(
                    "Pipeline", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void oneNodeAloneIsWholeLayersInARing() {
        var decision = place(card("org/m", GB, HEADS), new FakeClusterView().node("a", 16 * GB, 8 * GB), 1);
        Instance.MlxRingInstance instance =
                assertInstanceOf(Instance.MlxRingInstance.class, ((Place) decision).instance());
        Shard shard = instance.shardAssignments().shardOf(new NodeId("a"));
        assertEquals(Shard.PipelineShardMetadata.of(card("org/m", GB, HEADS), 0, 1, 0, 32), shard);
        assertEquals(
                List.of(new Instance.Host("0.0.0.0", instance.ephemeralPort())),
                instance.hostsByNode().get(new NodeId("a")));
        assertTrue(instance.ephemeralPort() >= 49153 && instance.ephemeralPort() <= 65535);
        String runner =
                instance.shardAssignments().nodeToRunner().get(new NodeId("a")).value();
        assertEquals(4, java.util.UUID.fromString(runner).version());
        assertEquals(Map.of(new NodeId("a"), GB), ((Place) decision).memoryDeltaByNode());
    }

    @Test
    void modelsThatEmbedRunOnOneNode() {
        ModelCard card = FakeClusterView.embedding("org/e", GB);
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 8 * GB)
                .linkAll();
        assertEquals(List.of("a"), nodes(place(card, view, 1)));
        assertEquals(
                "min_nodes=2 is impossible: org/e makes embeddings, and such models run on one node",
                refusal(place(card, view, 2)));
        var small = new FakeClusterView()
                .node("a", 16 * GB, GB)
                .node("b", 16 * GB, GB)
                .linkAll();
        assertTrue(refusal(place(card, small, 1)).contains("cycle [name-a] (Pipeline sharding): node name-a needs"));
    }

    @Test
    void aJacclRequestOfOneNodeIsAnOrdinaryRing() {
        var view = new FakeClusterView().node("a", 16 * GB, 8 * GB);
        var decision = place(card("org/m", GB, HEADS), view, InstanceMeta.MLX_JACCL, 1);
        assertInstanceOf(Instance.MlxRingInstance.class, ((Place) decision).instance());
    }

    @Test
    void rdmaNeedsRdmaLinks() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 8 * GB)
                .linkAll();
        assertTrue(refusal(place(card("org/m", GB, HEADS), view, InstanceMeta.MLX_JACCL, 2))
                .startsWith("Requested RDMA (MlxJaccl) but there are no RDMA-connected cycles"));
    }

    @Test
    void fewerNodesThanAskedIsImpossible() {
        assertEquals(
                "The topology has only 1 node(s), so min_nodes=3 is impossible; a cycle needs that many nodes with bidirectional connectivity",
                refusal(place(card("org/m", GB, HEADS), new FakeClusterView().node("a", GB, GB), 3)));
    }

    @Test
    void unconnectedNodesAreWaitedFor() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 8 * GB)
                .edge("a", "b", 1, 1);
        assertEquals(
                "The topology knows 2 nodes but none form a connected cycle of at least 2 yet; retry shortly",
                waiting(place(card("org/m", GB, HEADS), view, 2)));
    }

    @Test
    void missingMemoryIsWaitedForAndNamesTheNode() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .nodeWithoutMemory("b")
                .linkAll();
        assertEquals(
                "Memory info not gathered yet for node(s) [name-b]; retry shortly",
                waiting(place(card("org/m", GB, HEADS), view, 2)));
        assertEquals(List.of("a"), nodes(place(card("org/m", GB, HEADS), view, 1)));
    }

    @Test
    void enoughNodesBesideTheExcludedOnesAreWaitedForUntilTheyAreConnected() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 8 * GB)
                .node("c", 16 * GB, 8 * GB)
                .link("a", "b");
        assertEquals(
                "The topology knows 2 nodes but none form a connected cycle of at least 2 yet; retry shortly",
                waiting(place(card("org/m", GB, HEADS), view, 2, "a")));
    }

    @Test
    void exclusionsThatLeaveNothingAreNamedAndStaleOnesIgnored() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 8 * GB)
                .linkAll();
        assertTrue(refusal(place(card("org/m", GB, HEADS), view, 2, "a", "gone"))
                .startsWith("All cycles of at least 2 node(s) touch an excluded node (1 excluded); node ids change"));
        assertEquals(List.of("b"), nodes(place(card("org/m", GB, HEADS), view, 1, "a")));
        assertEquals(List.of("a"), nodes(place(card("org/m", GB, HEADS), view, 1, "gone")));
    }

    @Test
    void memoryRefusalShowsTheArithmetic() {
        var view = new FakeClusterView()
                .node("a", 16 * GB, 14 * GB)
                .node("b", 16 * GB, 2 * GB)
                .linkAll();
        assertEquals(
                "No candidate cycle fits org/m (20.0GB of weights): cycle [name-a] (Pipeline sharding): node name-a needs ~27.3GB (20.0GB weights + 1.1GB"
                        + " KV@8192tok + runtime headroom) but can use 12.0GB (min of available and 75% of RAM); cycle [name-a, name-b] (Pipeline sharding):"
                        + " node name-a needs ~23.1GB (16.9GB weights + 0.9GB KV@8192tok + runtime headroom) but can use 12.0GB (min of available and 75% of"
                        + " RAM), node name-b needs ~4.5GB (3.1GB weights + 0.2GB KV@8192tok + runtime headroom) but can use 2.0GB (min of available and 75%"
                        + " of RAM)",
                refusal(place(card("org/m", 20 * GB, HEADS), view, 1)));
    }

    @Test
    void aModelOfExactlyTheFreeMemoryIsRefused() {
        var view = new FakeClusterView().node("a", 100 * GB, 8 * GB);
        assertInstanceOf(Refuse.class, place(card("org/m", 8 * GB, Optional.empty()), view, 1));
    }

    @Test
    void theBoundaryIsStrict() {
        long required = (long) Math.ceil(GB * 1.3) + (256L << 20);
        ModelCard card = card("org/m", GB, Optional.empty());
        assertInstanceOf(Place.class, place(card, new FakeClusterView().node("a", 100 * GB, required), 1));
        assertInstanceOf(Refuse.class, place(card, new FakeClusterView().node("a", 100 * GB, required - 1), 1));
    }

    @Test
    void threeQuartersOfRamAreTheMost() {
        ModelCard card = card("org/m", 10 * GB, Optional.empty());
        assertInstanceOf(Refuse.class, place(card, new FakeClusterView().node("a", 17 * GB, 17 * GB), 1));
        assertInstanceOf(Place.class, place(card, new FakeClusterView().node("a", 18 * GB, 18 * GB), 1));
    }

    @Test
    void theSmallestNumberOfNodesThatFitsWins() {
        var view = new FakeClusterView()
                .node("a", 40 * GB, 14 * GB)
                .node("b", 40 * GB, 14 * GB)
                .node("c", 40 * GB, 14 * GB)
                .linkAll();
        assertEquals(1, nodes(place(card("org/m", 8 * GB, HEADS), view, 1)).size());
        assertEquals(2, nodes(place(card("org/m", 15 * GB, HEADS), view, 1)).size());
        assertEquals(3, nodes(place(card("org/m", 24 * GB, HEADS), view, 1)).size());
    }

    @Test
    void aLeafIsPreferredThenDownloadsThenMemory() {
        ModelCard card = card("org/m", GB, HEADS);
        var line = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 9 * GB)
                .node("c", 16 * GB, 8 * GB);
        line.link("a", "b").link("b", "c");
        assertEquals(List.of("a"), nodes(place(card, line, 1)), "leaves before the middle, the eldest first");
        var mesh = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .node("b", 16 * GB, 9 * GB)
                .node("c", 16 * GB, 8 * GB)
                .linkAll();
        assertEquals(List.of("b"), nodes(place(card, mesh, 1)), "most free memory");
        Shard shard = Shard.PipelineShardMetadata.of(card, 0, 1, 0, 32);
        mesh.download(
                "c", new Download.DownloadPending(new NodeId("c"), shard, "", new Memory(GB / 2), new Memory(GB)));
        assertEquals(List.of("c"), nodes(place(card, mesh, 1)), "half downloaded");
        mesh.download("a", new Download.DownloadCompleted(new NodeId("a"), shard, "", new Memory(GB), true));
        assertEquals(List.of("a"), nodes(place(card, mesh, 1)), "downloaded");
    }

    @Test
    void theDefaultIsNeverSlowerThanTheFastestNodeThatFits() {
        ModelCard card = card("org/m", 4 * GB, HEADS);
        var view = new FakeClusterView()
                .node("slow", 64 * GB, 40 * GB, 10e9, 2)
                .node("fast", 16 * GB, 10 * GB, 40e9, 2)
                .link("slow", "fast");
        var decision = (Place) place(card, view, 1);
        assertEquals(List.of("fast"), nodes(decision));
        // 4 GB at 0.65 of 40 GB/s, 32 layers of 40 µs, 0.6 ms for the token
        assertEquals(6.4216, decision.forecast().tokensPerSecond(), 0.002);
        assertEquals(List.of("slow"), nodes(place(card("org/m", 12 * GB, HEADS), view, 1)), "memory forces it");
    }

    @Test
    void layersFollowMemoryByLargestRemainder() {
        var view = new FakeClusterView()
                .node("a", 100 * GB, 30 * GB)
                .node("b", 100 * GB, 10 * GB)
                .linkAll();
        Instance instance = ((Place) place(card("org/m", 8 * GB, HEADS), view, 2)).instance();
        Shard first = instance.shardAssignments().shardOf(new NodeId("a"));
        Shard second = instance.shardAssignments().shardOf(new NodeId("b"));
        assertEquals(
                List.of(0, 24, 24, 32),
                List.of(first.startLayer(), first.endLayer(), second.startLayer(), second.endLayer()));
    }

    @Test
    void everyNodeGetsALayerAndMoreNodesThanLayersAreRefused() {
        assertEquals("[1, 1, 1]", java.util.Arrays.toString(PipelineLayout.largestRemainder(3, new long[] {1, 1, 98})));
        assertEquals(
                "[8, 1, 1]", java.util.Arrays.toString(PipelineLayout.largestRemainder(10, new long[] {100, 0, 0})));
        assertEquals("[2, 1, 1]", java.util.Arrays.toString(PipelineLayout.largestRemainder(4, new long[] {0, 0, 0})));
        var view = new FakeClusterView()
                .node("a", 100 * GB, 30 * GB)
                .node("b", 100 * GB, 10 * GB)
                .node("c", 100 * GB, 10 * GB)
                .linkAll();
        assertEquals(
                "org/m has only 2 layer(s), which cannot be split over 3 nodes",
                refusal(place(card("org/m", GB, 2, HEADS, 0), view, 3)));
    }

    @Test
    void contextLimitIsTheLeastOfMemoryAndCard() {
        var view = new FakeClusterView().node("a", 16 * GB, 12 * GB);
        // (12e9 − 1.3e9·4 − 256 MiB) / (2·32·8·128·2)
        assertEquals(
                Optional.of((int) ((12e9 - 5.2e9 - (256L << 20)) / 131072)),
                ((Place) place(card("org/m", 4 * GB, HEADS), view, 1))
                        .instance()
                        .contextTokenLimit());
        assertEquals(
                Optional.of(2048),
                ((Place) place(card("org/m", 4 * GB, 32, HEADS, 2048), view, 1))
                        .instance()
                        .contextTokenLimit());
        assertEquals(
                Optional.empty(),
                ((Place) place(card("org/m", 4 * GB, Optional.empty()), view, 1))
                        .instance()
                        .contextTokenLimit());
    }

    @Test
    void hostsNameNeighboursAndHideTheRest() {
        var view = new FakeClusterView();
        List.of("a", "b", "c", "d").forEach(n -> view.node(n, 100 * GB, 30 * GB));
        view.edge("a", "b", 10, GB)
                .edge("b", "c", 10, GB)
                .edge("c", "d", 10, GB)
                .edge("d", "a", 10, GB);
        var decision = place(card("org/m", 8 * GB, HEADS), view, 4);
        assertEquals(List.of("a", "b", "c", "d"), nodes(decision));
        var instance = (Instance.MlxRingInstance) ((Place) decision).instance();
        List<Instance.Host> seen = instance.hostsByNode().get(new NodeId("a"));
        int port = instance.ephemeralPort();
        assertEquals(new Instance.Host("0.0.0.0", port), seen.get(0));
        assertEquals(new Instance.Host("10.0.0.98", port), seen.get(1));
        assertEquals(new Instance.Host("198.51.100.1", 0), seen.get(2));
        assertEquals(new Instance.Host("10.0.0.100", port), seen.get(3));
    }

    @Test
    void theRingWithTheLeastLatencyIsTaken() {
        var view = new FakeClusterView();
        List.of("a", "b", "c", "d").forEach(n -> view.node(n, 100 * GB, 30 * GB));
        view.linkAll();
        view.edge("a", "c", 20, GB)
                .edge("c", "b", 20, GB)
                .edge("b", "d", 20, GB)
                .edge("d", "a", 20, GB);
        assertEquals(List.of("a", "c", "b", "d"), nodes(place(card("org/m", 8 * GB, HEADS), view, 4)));
    }

    @Test
    void managersTakeNoRanks() {
        var manager = FakeClusterView.info(
                "m",
                Optional.of(
                        new NodeInfo.MemoryUsage(new Memory(64 * GB), new Memory(64 * GB), Memory.NONE, Memory.NONE)),
                new NodeInfo.Resources(List.of("mlx"), "management", "tcp", 90e9, 8, Optional.empty()));
        var view = new FakeClusterView()
                .info("m", manager)
                .node("a", 16 * GB, 8 * GB)
                .linkAll();
        assertEquals(List.of("a"), nodes(place(card("org/m", GB, HEADS), view, 1)));
        assertEquals(
                "All cycles of at least 2 node(s) touch a node that cannot run org/m: [name-m] only manage or lack its backend",
                refusal(place(card("org/m", GB, HEADS), view, 2)));
    }

    @Test
    void aCardsMemoryCountsOnlyForAnEngineThatComputesThere() {
        var memory =
                Optional.of(new NodeInfo.MemoryUsage(new Memory(8 * GB), new Memory(8 * GB), Memory.NONE, Memory.NONE));
        var card = new NodeInfo.Accelerator(
                "nvidia",
                "card",
                Optional.empty(),
                Optional.of(48 * GB),
                Optional.of(8 * GB),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        var system = Optional.of(new NodeInfo.SystemLoad(0, 0, 0, 0, 0, Optional.of(card)));
        var cpu = FakeClusterView.info("a", memory, FakeClusterView.resources(List.of("mlx"), 0, 2));
        var gpu = FakeClusterView.resources(List.of("mlx", "mlx-cuda"), 0, 2);
        var plain = new NodeInfo(
                cpu.lastSeen(), cpu.identity(), memory, cpu.disk(), system, cpu.network(), cpu.resources());
        var fast = new NodeInfo(
                cpu.lastSeen(), cpu.identity(), memory, cpu.disk(), system, cpu.network(), Optional.of(gpu));
        ModelCard model = card("org/m", 30 * GB, Optional.empty());
        assertInstanceOf(Refuse.class, place(model, new FakeClusterView().info("a", plain), 1));
        assertInstanceOf(Place.class, place(model, new FakeClusterView().info("a", fast), 1));
        assertTrue(refusal(place(card("org/m", 31 * GB, Optional.empty()), new FakeClusterView().info("a", fast), 1))
                .contains("can use 40.0GB (min of free and 90% of VRAM)"));
    }
}
