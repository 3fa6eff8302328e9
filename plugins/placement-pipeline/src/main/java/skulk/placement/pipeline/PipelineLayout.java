package skulk.placement.pipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelCard;
import skulk.api.placement.Layout;
import skulk.api.placement.ModelDemand;
import skulk.api.placement.Part;
import skulk.api.placement.SpeedModel;

/**
 * Gives each node layers in proportion to the memory it can use, by largest remainder and at least one (contract section 9.3). Where rounding would
 * take a node over its memory, its surplus moves to the nodes with the most room, so that a model is refused only if no whole number of layers fits.
 *
 * <p>With {@code bySpeed} layers go where they are done soonest as long as there is memory for them, so that all stages take the same time and none waits for another:
 * a slow node gets fewer, and so does the first, which has the output head beside its layers.
 */
final class PipelineLayout implements Layout {
    private final boolean bySpeed;

    PipelineLayout(boolean bySpeed) {
        this.bySpeed = bySpeed;
    }

    @Override
    public Optional<String> refusal(ModelCard card) {
        return Optional.empty();
    }

    @Override
    public Optional<List<Part>> split(
            ModelCard card, List<NodeId> ring, ToLongFunction<NodeId> usable, SpeedModel speed) {
        if (card.nLayers() < ring.size()) {
            return Optional.empty();
        }
        long[] memory = ring.stream().mapToLong(usable).toArray();
        int[] capacity = capacities(ModelDemand.of(card), card.nLayers(), memory);
        Optional<int[]> soonest = bySpeed ? soonest(card.nLayers(), ring, capacity, speed) : Optional.empty();
        int[] layers = soonest.orElseGet(() -> largestRemainder(card.nLayers(), memory));
        moveSurplus(layers, capacity);
        return Optional.of(parts(card, ring, layers));
    }

    @Override
    public String indivisible(ModelCard card, int nodes) {
        return "%s has only %d layer(s), which cannot be split over %d nodes"
                .formatted(card.modelId(), card.nLayers(), nodes);
    }

    @Override
    public Forecast forecast(List<Part> parts, SpeedModel speed) {
        return speed.pipeline(parts);
    }

    /** Shares of a total in proportion to weights: floors first, then one each to the largest fractions; nobody gets none. */
    static int[] largestRemainder(int total, long[] weights) {
        double sum = Arrays.stream(weights).asDoubleStream().sum();
        int n = weights.length;
        int[] shares = new int[n];
        double[] fraction = new double[n];
        int left = total;
        for (int i = 0; i < n; i++) {
            double exact = sum == 0 ? (double) total / n : total * (weights[i] / sum);
            shares[i] = (int) exact;
            fraction[i] = exact - shares[i];
            left -= shares[i];
        }
        for (; left > 0; left--) {
            int at = largest(fraction);
            shares[at]++;
            fraction[at] = -1;
        }
        for (int i = 0; i < n; i++) {
            if (shares[i] == 0) {
                shares[largest(Arrays.stream(shares).asDoubleStream().toArray())]--;
                shares[i] = 1;
            }
        }
        return shares;
    }

    /** One layer after the other to the node that is then done soonest; empty where a node has not measured itself, or memory does not suffice. */
    private static Optional<int[]> soonest(int layers, List<NodeId> ring, int[] capacity, SpeedModel speed) {
        if (Arrays.stream(capacity).anyMatch(c -> c < 1)
                || Arrays.stream(capacity).asLongStream().sum() < layers
                || ring.stream().anyMatch(node -> Double.isNaN(speed.layerSeconds(node)))) {
            return Optional.empty();
        }
        int[] given = new int[ring.size()];
        Arrays.fill(given, 1);
        for (int left = layers - given.length; left > 0; left--) {
            int to = -1;
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < given.length; i++) {
                double head = i == 0 ? speed.headSeconds(ring.get(i)) : 0;
                double done = head + (given[i] + 1) * speed.layerSeconds(ring.get(i));
                if (given[i] < capacity[i] && done < least) {
                    least = done;
                    to = i;
                }
            }
            given[to]++;
        }
        return Optional.of(given);
    }

    /** How many layers each node can hold. */
    private static int[] capacities(ModelDemand demand, int layers, long[] memory) {
        return Arrays.stream(memory)
                .mapToInt(bytes -> capacity(demand, layers, bytes))
                .toArray();
    }

    private static int capacity(ModelDemand demand, int layers, long bytes) {
        int fits = 0;
        while (fits < layers && demand.required((fits + 1.0) / layers) <= bytes) {
            fits++;
        }
        return fits;
    }

    private static void moveSurplus(int[] layers, int[] capacity) {
        for (int from = 0; from < layers.length; from++) {
            while (layers[from] > Math.max(1, capacity[from])) {
                double[] room = new double[layers.length];
                for (int i = 0; i < room.length; i++) {
                    room[i] = capacity[i] - layers[i];
                }
                int to = largest(room);
                if (room[to] <= 0) {
                    return;
                }
                layers[from]--;
                layers[to]++;
            }
        }
    }

    /** The first of the largest. */
    private static int largest(double[] values) {
        int at = 0;
        for (int i = 1; i < values.length; i++) {
            at = values[i] > values[at] ? i : at;
        }
        return at;
    }

    private static List<Part> parts(ModelCard card, List<NodeId> ring, int[] layers) {
        List<Part> parts = new ArrayList<>();
        int start = 0;
        for (int rank = 0; rank < layers.length; rank++) {
            int end = start + layers[rank];
            Shard shard = Shard.PipelineShardMetadata.of(card, rank, layers.length, start, end);
            parts.add(new Part(ring.get(rank), (double) layers[rank] / card.nLayers(), shard));
            start = end;
        }
        return parts;
    }
}
