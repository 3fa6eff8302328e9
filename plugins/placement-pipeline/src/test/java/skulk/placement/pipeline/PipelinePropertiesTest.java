package skulk.placement.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.fake.FakeClusterView;
import skulk.api.model.ModelCard;

class PipelinePropertiesTest {
    private static final int CLUSTERS = 500;

    private final PipelinePlacement strategy = new PipelinePlacement(false);

    record Trial(ClusterView view, PlacementRequest request) {}

    static Trial trial(long seed) {
        Random random = new Random(seed);
        ClusterView view = FakeClusterView.random(random).build();
        ModelCard card = FakeClusterView.card(
                "org/m" + seed,
                (1 + random.nextInt(600)) * GB / 10,
                4 + random.nextInt(60),
                random.nextInt(4) == 0 ? Optional.empty() : Optional.of(1 << random.nextInt(5)),
                random.nextInt(3) == 0 ? 4096 : 0);
        Set<NodeId> excluded = random.nextBoolean() ? Set.of(new NodeId("n" + random.nextInt(8))) : Set.of();
        int minNodes = 1 + random.nextInt(3);
        return new Trial(
                view,
                new PlacementRequest(
                        card,
                        Sharding.PIPELINE,
                        InstanceMeta.MLX_RING,
                        minNodes,
                        excluded,
                        Optional.empty(),
                        new InstanceId("i" + seed)));
    }

    private static long usable(NodeInfo node) {
        NodeInfo.MemoryUsage memory = node.memory().orElseThrow();
        return Math.min(memory.ramAvailable().inBytes(), (long)
                (0.75 * memory.ramTotal().inBytes()));
    }

    @Test
    void neverOverMemoryLayersSumAndExclusionsHold() {
        int placed = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Trial trial = trial(seed);
            if (!(strategy.place(trial.request(), trial.view()) instanceof Place place)) {
                continue;
            }
            placed++;
            ModelCard card = trial.request().card();
            List<NodeId> nodes = place.instance().shardAssignments().nodesByRank();
            assertTrue(nodes.size() >= trial.request().minNodes(), "seed " + seed);
            assertTrue(Collections.disjoint(nodes, trial.request().excluded()), "seed " + seed);
            int next = 0;
            for (NodeId node : nodes) {
                Shard shard = place.instance().shardAssignments().shardOf(node);
                assertEquals(next, shard.startLayer(), "seed " + seed);
                assertTrue(shard.endLayer() > shard.startLayer(), "seed " + seed);
                next = shard.endLayer();
                double share = (double) (shard.endLayer() - shard.startLayer()) / card.nLayers();
                double kv = card.numKeyValueHeads()
                        .map(k -> 2.0 * card.nLayers() * 8192 * k * 128 * 2)
                        .orElse(0.0);
                double required = share * card.storageSize().inBytes() * 1.3 + kv * share + (256 << 20);
                assertTrue(required <= usable(trial.view().nodes().get(node)), "seed " + seed + " node " + node);
            }
            assertEquals(card.nLayers(), next, "seed " + seed);
            assertEquals(
                    card.storageSize().inBytes(),
                    place.memoryDeltaByNode().values().stream()
                            .mapToLong(v -> v)
                            .sum());
        }
        assertTrue(placed > CLUSTERS / 4, "only " + placed + " placed: the trials say little");
    }

    @Test
    void theSameOnEveryNode() {
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Trial trial = trial(seed);
            ClusterView view = trial.view();
            PlacementDecision here = strategy.place(trial.request(), view);
            Map<NodeId, NodeInfo> shuffled = new HashMap<>();
            List<NodeId> keys = new ArrayList<>(view.nodes().keySet());
            Collections.shuffle(keys, new Random(seed));
            keys.forEach(k -> shuffled.put(k, view.nodes().get(k)));
            ClusterView elsewhere = new ClusterView(
                    view.members().getLast(),
                    view.master(),
                    view.epoch(),
                    view.members(),
                    Map.of(),
                    Map.of(),
                    Map.of(),
                    Map.of(),
                    shuffled,
                    view.topology(),
                    Map.of(),
                    false,
                    7);
            assertEquals(here, strategy.place(trial.request(), elsewhere), "seed " + seed);
        }
    }

    @Test
    void moreMemoryNeverTurnsAPlacementIntoARefusal() {
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Trial trial = trial(seed);
            if (strategy.place(trial.request(), trial.view()) instanceof Place) {
                Random random = new Random(seed);
                Map<NodeId, NodeInfo> richer = new HashMap<>();
                trial.view().nodes().forEach((id, node) -> richer.put(id, random.nextBoolean() ? node : richer(node)));
                ClusterView view = FakeClusterView.with(trial.view(), richer);
                assertTrue(strategy.place(trial.request(), view) instanceof Place, "seed " + seed);
            }
        }
    }

    private static NodeInfo richer(NodeInfo node) {
        NodeInfo.MemoryUsage m = node.memory().orElseThrow();
        return new NodeInfo(
                node.lastSeen(),
                node.identity(),
                Optional.of(new NodeInfo.MemoryUsage(
                        new Memory(m.ramTotal().inBytes() + 3 * GB),
                        new Memory(m.ramAvailable().inBytes() + 3 * GB),
                        Memory.NONE,
                        Memory.NONE)),
                node.disk(),
                node.system(),
                node.network(),
                node.resources());
    }

    @Test
    void twelveFullyConnectedNodesAreDecidedQuickly() {
        FakeClusterView view = new FakeClusterView();
        for (int i = 0; i < 12; i++) {
            view.node("n" + i, 16 * GB, 8 * GB);
        }
        ClusterView cluster = view.linkAll().build();
        ModelCard card = FakeClusterView.card("org/huge", 500 * GB, 80, Optional.of(8), 0);
        PlacementRequest request = new PlacementRequest(
                card, Sharding.PIPELINE, InstanceMeta.MLX_RING, 1, Set.of(), Optional.empty(), new InstanceId("i"));
        strategy.place(request, cluster);
        long start = System.nanoTime();
        strategy.place(request, cluster);
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < 1000, "took " + millis + " ms to look at every set of 12 nodes");
    }
}
