package skulk.placement.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementDecision.Refuse;
import skulk.api.cluster.PlacementDecision.Wait;
import skulk.api.cluster.PlacementRequest;
import skulk.api.fake.PlacementOracle;
import skulk.api.model.ModelCard;

/** Five hundred random clusters and wishes: whatever is placed is the smallest that fits, and whatever is refused fits nowhere. */
class PipelineOracleTest {
    private static final int CLUSTERS = 500;

    private final PipelinePlacement strategy = new PipelinePlacement(false);

    @Test
    void placesTheSmallestThatFitsAndRefusesOnlyWhatCannot() {
        int[] placed = new int[9];
        int refused = 0;
        int waiting = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            PipelinePropertiesTest.Trial trial = PipelinePropertiesTest.trial(seed);
            PlacementRequest request = trial.request();
            PlacementOracle oracle = new PlacementOracle(trial.view());
            List<Set<NodeId>> fitting = oracle.candidates(request).stream()
                    .filter(set -> fits(oracle, request.card(), set))
                    .toList();
            String say = "seed " + seed;
            switch (strategy.place(request, trial.view())) {
                case Place place -> {
                    Set<NodeId> chosen =
                            new HashSet<>(place.instance().shardAssignments().nodesByRank());
                    assertTrue(fitting.contains(chosen), say);
                    assertEquals(smallest(fitting), chosen.size(), say);
                    placed[chosen.size()]++;
                }
                case Refuse refuse -> {
                    assertTrue(fitting.isEmpty(), () -> say + " fits " + fitting + " but: " + refuse.reason());
                    assertTrue(named(refuse.reason(), trial), say + " says no more than " + refuse.reason());
                    refused++;
                }
                case Wait wait -> {
                    assertTrue(oracle.candidates(including(request)).isEmpty(), say + ": " + wait.reason());
                    waiting++;
                }
            }
        }
        assertTrue(
                placed[1] > 20 && placed[2] > 20 && placed[3] > 10 && placed[4] > 0,
                () -> "placed " + java.util.Arrays.toString(placed));
        assertTrue(refused > 50, "refused " + refused + ", waiting " + waiting);
    }

    /** What can hold at least one layer each and all layers together. */
    private static boolean fits(PlacementOracle oracle, ModelCard card, Set<NodeId> set) {
        if (set.size() == 1) {
            return oracle.fits(set.iterator().next(), card, 1);
        }
        List<Integer> room = set.stream()
                .map(node -> IntStream.rangeClosed(1, card.nLayers())
                        .filter(layers -> oracle.fits(node, card, (double) layers / card.nLayers()))
                        .max()
                        .orElse(0))
                .toList();
        return !room.contains(0)
                && set.size() <= card.nLayers()
                && room.stream().mapToInt(i -> i).sum() >= card.nLayers();
    }

    private static int smallest(List<Set<NodeId>> sets) {
        return sets.stream().mapToInt(Set::size).min().orElseThrow();
    }

    private static PlacementRequest including(PlacementRequest r) {
        return new PlacementRequest(
                r.card(), r.sharding(), r.meta(), r.minNodes(), Set.of(), Optional.empty(), r.instanceId());
    }

    /** A reason is one that an operator can act on: it has the node and the numbers, or says what the topology lacks. */
    private static boolean named(String reason, PipelinePropertiesTest.Trial trial) {
        boolean arithmetic = reason.contains(
                        "No candidate cycle fits " + trial.request().card().modelId())
                && reason.contains("name-n")
                && reason.contains("but can use");
        return arithmetic
                || reason.contains("so min_nodes=" + trial.request().minNodes())
                || reason.contains("touch an excluded node (1 excluded)")
                || reason.contains("layer(s), which cannot be split");
    }

    @Test
    void theDefaultIsNeverSlowerThanTheBestSingleNodeThatFits() {
        int compared = 0;
        for (long seed = 0; seed < CLUSTERS; seed++) {
            PipelinePropertiesTest.Trial trial = PipelinePropertiesTest.trial(seed);
            PlacementRequest r = trial.request();
            if (!(strategy.place(only(r, Optional.empty()), trial.view()) instanceof Place chosen)) {
                continue;
            }
            Optional<Double> best = trial.view().members().stream()
                    .map(node -> strategy.place(only(r, Optional.of(Set.of(node))), trial.view()))
                    .filter(Place.class::isInstance)
                    .map(place -> ((Place) place).forecast().tokensPerSecond())
                    .max(Comparator.naturalOrder());
            if (best.isPresent()) {
                compared++;
                assertTrue(chosen.forecast().tokensPerSecond() >= 0.95 * best.get(), "seed " + seed);
            }
        }
        assertTrue(compared > 100, "only " + compared + " clusters had a node that fits");
    }

    private static PlacementRequest only(PlacementRequest r, Optional<Set<NodeId>> nodes) {
        return new PlacementRequest(r.card(), r.sharding(), r.meta(), 1, Set.of(), nodes, r.instanceId());
    }
}
