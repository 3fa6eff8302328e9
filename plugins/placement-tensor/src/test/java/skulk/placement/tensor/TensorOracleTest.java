package skulk.placement.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementDecision.Refuse;
import skulk.api.cluster.PlacementDecision.Wait;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.fake.FakeClusterView;
import skulk.api.fake.PlacementOracle;
import skulk.api.model.ModelCard;
import skulk.api.placement.ModelDemand;

/** Five hundred random clusters and wishes: whatever is placed fits and adds up, and whatever is refused fits nowhere. */
class TensorOracleTest {
    private static final int CLUSTERS = 500;

    private final TensorPlacement strategy = new TensorPlacement();

    @Test
    void placesTheSmallestThatFitsAndRefusesOnlyWhatCannot() {
        int split = 0;
        int uneven = 0;
        int refused = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            Random random = new Random(seed);
            ClusterView view = FakeClusterView.random(random).build();
            Optional<Integer> heads = random.nextInt(5) == 0 ? Optional.empty() : Optional.of(1 + random.nextInt(9));
            ModelCard card = FakeClusterView.card("org/m" + seed, (1 + random.nextInt(600)) * GB / 10, heads);
            Set<NodeId> excluded = random.nextBoolean() ? Set.of(new NodeId("n" + random.nextInt(8))) : Set.of();
            PlacementRequest request = new PlacementRequest(
                    card,
                    Sharding.TENSOR,
                    InstanceMeta.MLX_RING,
                    1 + random.nextInt(3),
                    excluded,
                    Optional.empty(),
                    new InstanceId("i" + seed));
            PlacementOracle oracle = new PlacementOracle(view);
            List<Set<NodeId>> fitting = oracle.candidates(request).stream()
                    .filter(set -> fits(oracle, card, set))
                    .toList();
            String say = "seed " + seed;
            switch (strategy.place(request, view)) {
                case Place place -> {
                    List<NodeId> nodes = place.instance().shardAssignments().nodesByRank();
                    assertTrue(fitting.contains(new HashSet<>(nodes)), say);
                    assertEquals(fitting.stream().mapToInt(Set::size).min().orElseThrow(), nodes.size(), say);
                    double sum = 0;
                    Set<Double> shares = new HashSet<>();
                    for (NodeId node : nodes) {
                        Shard shard = place.instance().shardAssignments().shardOf(node);
                        double share = ModelDemand.share(shard);
                        assertTrue(oracle.fits(node, card, share), say);
                        shares.add(share);
                        sum += share;
                    }
                    assertEquals(1, sum, 1e-9, say);
                    split += nodes.size() > 1 ? 1 : 0;
                    uneven += shares.size() > 1 ? 1 : 0;
                }
                case Refuse refuse -> {
                    assertTrue(fitting.isEmpty(), () -> say + " fits " + fitting + " but: " + refuse.reason());
                    refused++;
                }
                case Wait wait ->
                    assertTrue(oracle.candidates(including(request)).isEmpty(), say);
            }
        }
        assertTrue(split > 50 && uneven > 10 && refused > 50, split + " split, " + uneven + " uneven, " + refused);
    }

    /** Whole heads for everybody, the larger shares for those with more memory. */
    private static boolean fits(PlacementOracle oracle, ModelCard card, Set<NodeId> set) {
        int n = set.size();
        if (n == 1) {
            return oracle.fits(set.iterator().next(), card, 1);
        }
        if (card.numKeyValueHeads().map(heads -> heads < n).orElse(card.hiddenSize() % n != 0)) {
            return false;
        }
        int heads = card.numKeyValueHeads().orElse(n);
        List<Integer> room = set.stream()
                .map(node -> IntStream.rangeClosed(1, heads)
                        .filter(count -> oracle.fits(node, card, (double) count / heads))
                        .max()
                        .orElse(0))
                .sorted(Comparator.reverseOrder())
                .toList();
        return IntStream.range(0, n).allMatch(rank -> room.get(rank) >= heads / n + (rank < heads % n ? 1 : 0));
    }

    private static PlacementRequest including(PlacementRequest r) {
        return new PlacementRequest(
                r.card(), r.sharding(), r.meta(), r.minNodes(), Set.of(), Optional.empty(), r.instanceId());
    }
}
