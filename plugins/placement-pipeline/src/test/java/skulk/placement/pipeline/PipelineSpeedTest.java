package skulk.placement.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.EngineSpeed;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.fake.FakeClusterView;
import skulk.api.model.ModelCard;
import skulk.api.placement.ModelDemand;

/** What placements make of the speed that nodes have measured. */
class PipelineSpeedTest {
    private static final int CLUSTERS = 500;

    private static Optional<Place> place(boolean bySpeed, ModelCard card, ClusterView view, int minNodes) {
        PlacementRequest request = new PlacementRequest(
                card,
                Sharding.PIPELINE,
                InstanceMeta.MLX_RING,
                minNodes,
                Set.of(),
                Optional.empty(),
                new InstanceId("i"));
        return new PipelinePlacement(bySpeed).place(request, view) instanceof Place place
                ? Optional.of(place)
                : Optional.empty();
    }

    private static EngineSpeed engine(double rate) {
        return new EngineSpeed(
                List.of(
                        new EngineSpeed.Format(4, true, rate, 2 * rate),
                        new EngineSpeed.Format(4, false, rate / 3, rate),
                        new EngineSpeed.Format(16, true, rate / 2, rate)),
                50e-6,
                10e9);
    }

    /** The view with engines that have measured themselves. */
    private static ClusterView measured(ClusterView v, Random random) {
        Map<NodeId, NodeInfo> nodes = new HashMap<>();
        v.nodes().forEach((id, n) -> nodes.put(id, fast(n, (5 + random.nextInt(200)) * 1e9)));
        return FakeClusterView.with(v, nodes);
    }

    private static NodeInfo fast(NodeInfo n, double rate) {
        NodeInfo.Resources r = n.resources().orElseThrow();
        NodeInfo.Resources faster = new NodeInfo.Resources(
                r.backends(),
                r.participation(),
                r.dataTransport(),
                r.readBandwidth(),
                r.threads(),
                Optional.of(engine(rate)));
        return new NodeInfo(
                Instant.EPOCH, n.identity(), n.memory(), n.disk(), n.system(), n.network(), Optional.of(faster));
    }

    private static ModelCard card(Random random) {
        return FakeClusterView.card(
                "org/m", (1 + random.nextInt(300)) * GB / 10, 4 + random.nextInt(60), Optional.of(8), 0);
    }

    @Test
    void theDefaultIsNeverSlowerThanTheBestSingleNodeThatFits() {
        int chosen = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Random random = new Random(seed);
            ClusterView view = measured(FakeClusterView.random(random).build(), random);
            ModelCard card = card(random);
            Optional<Place> place = place(false, card, view, 1);
            double best = 0;
            for (NodeId node : view.members()) {
                Optional<Place> alone = place(false, card, only(view, node), 1);
                best = Math.max(
                        best, alone.map(p -> p.forecast().tokensPerSecond()).orElse(0.0));
            }
            double expected = 0.95 * best;
            assertTrue(
                    place.isEmpty() ? expected == 0 : place.get().forecast().tokensPerSecond() >= expected,
                    "seed " + seed + ": " + place + ", a single node reaches " + best);
            chosen += best > 0 ? 1 : 0;
        }
        assertTrue(chosen > CLUSTERS / 4, "only " + chosen + " fit on a node: the trials say little");
    }

    private static ClusterView only(ClusterView v, NodeId node) {
        return new FakeClusterView().info(node.value(), v.nodes().get(node)).build();
    }

    @Test
    void bySpeedStagesTakeTheSameTimeWithinALayerUnlessMemoryForcesIt() {
        int split = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Random random = new Random(seed);
            ClusterView view = measured(FakeClusterView.random(random).build(), random);
            ModelCard card = card(random);
            Optional<Place> place = place(true, card, view, 2);
            assertEquals(place(false, card, view, 2).isPresent(), place.isPresent(), "seed " + seed);
            if (place.isEmpty()) {
                continue;
            }
            List<NodeId> nodes = place.get().instance().shardAssignments().nodesByRank();
            int[] layers = nodes.stream()
                    .mapToInt(n ->
                            layers(place.get().instance().shardAssignments().shardOf(n)))
                    .toArray();
            double[] perLayer =
                    nodes.stream().mapToDouble(n -> 1 / rate(view, n)).toArray();
            assertEquals(card.nLayers(), IntStream.of(layers).sum(), "seed " + seed);
            for (int from = 1; from < nodes.size(); from++) { // the first has the output head as well
                for (int to = 1; to < nodes.size(); to++) {
                    boolean room = fits(card, layers[to] + 1, view.nodes().get(nodes.get(to)));
                    boolean sooner = (layers[to] + 1) * perLayer[to] < 0.8 * layers[from] * perLayer[from];
                    assertTrue(
                            from == to || !room || !sooner || layers[from] == 1,
                            "seed " + seed + ": " + java.util.Arrays.toString(layers));
                }
            }
            split++;
        }
        assertTrue(split > CLUSTERS / 4, "only " + split + " split: the trials say little");
    }

    private static double rate(ClusterView view, NodeId node) {
        EngineSpeed speed =
                view.nodes().get(node).resources().orElseThrow().engine().orElseThrow();
        return speed.formats().getFirst().decodeRate();
    }

    private static int layers(Shard shard) {
        return shard.endLayer() - shard.startLayer();
    }

    private static boolean fits(ModelCard card, int layers, NodeInfo node) {
        NodeInfo.MemoryUsage memory = node.memory().orElseThrow();
        double usable = Math.min(
                memory.ramAvailable().inBytes(), 0.75 * memory.ramTotal().inBytes());
        return ModelDemand.of(card).required((double) layers / card.nLayers()) <= usable;
    }

    @Test
    void theHeadCountsForTheFirstRank() {
        ClusterView view = measured(
                new FakeClusterView()
                        .node("a", 64 * GB, 40 * GB)
                        .node("b", 64 * GB, 40 * GB)
                        .linkAll()
                        .build(),
                new Random() {
                    @Override
                    public int nextInt(int bound) {
                        return 25; // as fast as each other
                    }
                });
        ModelCard card = FakeClusterView.card("org/m-1b", 7 * GB / 10, 16, Optional.of(8), 0);
        Place place = assertInstanceOf(Place.class, place(true, card, view, 2).orElseThrow());
        Shard first = place.instance()
                .shardAssignments()
                .shardOf(place.instance().shardAssignments().nodesByRank().getFirst());
        assertEquals(6, layers(first), "the head of such a model is worth four layers");
        Place even = place(false, card, view, 2).orElseThrow();
        assertEquals(8, layers(even.instance().shardAssignments().shardOf(new NodeId("a"))), "by memory");
    }

    @Test
    void forecastsAreMadeOfWhatTheEngineMeasured() {
        ClusterView view = new FakeClusterView().node("a", 64 * GB, 40 * GB).build();
        NodeInfo node = fast(view.nodes().get(new NodeId("a")), 50e9);
        ClusterView measured = new FakeClusterView().info("a", node).build();
        // 4.5 bits a weight: 1.6e9 weights; 32 layers of 50 µs beside and of 512 tokens by 4096 keys and values, 0.6 ms
        // for the token
        double beside = 32 * (50e-6 + 2.0 * 4096 * 512 / 10e9);
        double dense = place(false, FakeClusterView.card("org/m", 9 * GB / 10, Optional.of(8)), measured, 1)
                .orElseThrow()
                .forecast()
                .tokensPerSecond();
        assertEquals(1 / (1.6e9 / 50e9 + beside + 600e-6), dense, 1e-6);
        double mixture = place(false, FakeClusterView.card("org/m-30b-a3b", 9 * GB, Optional.of(8)), measured, 1)
                .orElseThrow()
                .forecast()
                .tokensPerSecond();
        assertEquals(1 / (1.6e9 / (50e9 / 3) + beside + 600e-6), mixture, 1e-6, "a tenth of 16e9, computed exactly");
    }
}
