package skulk.placement.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelCard;
import skulk.api.placement.Layout;
import skulk.api.placement.Part;
import skulk.api.placement.SpeedModel;

/**
 * Gives each rank whole key-value heads with their query heads, and the same share of the feed-forward columns. The heads need not divide evenly:
 * the first ranks take one more, and the ring is turned so that those fall on nodes with room. So up to as many ranks as key-value heads are possible, where the contract
 * (section 9.3) only knows divisors. Where the number of heads is unknown, the hidden size must divide evenly.
 */
final class TensorLayout implements Layout {
    @Override
    public Optional<String> refusal(ModelCard card) {
        return card.supportsTensor()
                ? Optional.empty()
                : Optional.of("Requested Tensor sharding but this model does not support tensor parallelism: "
                        + card.modelId());
    }

    @Override
    public Optional<List<Part>> split(ModelCard card, List<NodeId> ring, ToLongFunction<NodeId> usable) {
        int ranks = ring.size();
        boolean possible = card.numKeyValueHeads().map(heads -> heads >= ranks).orElse(card.hiddenSize() % ranks == 0);
        if (!possible) {
            return Optional.empty();
        }
        int heads = card.numKeyValueHeads().orElse(ranks);
        List<NodeId> order = roomiestFirst(ring, heads, usable);
        List<Part> parts = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            double share = (double) headsOf(rank, ranks, heads) / heads;
            parts.add(new Part(order.get(rank), share, Shard.TensorShardMetadata.of(card, rank, ranks)));
        }
        return Optional.of(parts);
    }

    /** The ring, turned so that the larger shares fall where they press least on memory. */
    private static List<NodeId> roomiestFirst(List<NodeId> ring, int heads, ToLongFunction<NodeId> usable) {
        List<NodeId> best = ring;
        double least = pressure(ring, heads, usable);
        for (int turn = 1; turn < ring.size() && heads % ring.size() != 0; turn++) {
            List<NodeId> turned = new ArrayList<>(ring);
            Collections.rotate(turned, turn);
            double pressure = pressure(turned, heads, usable);
            if (pressure < least) {
                least = pressure;
                best = turned;
            }
        }
        return best;
    }

    private static double pressure(List<NodeId> order, int heads, ToLongFunction<NodeId> usable) {
        double worst = 0;
        for (int rank = 0; rank < order.size(); rank++) {
            double memory = Math.max(1, usable.applyAsLong(order.get(rank)));
            worst = Math.max(worst, headsOf(rank, order.size(), heads) / memory);
        }
        return worst;
    }

    /** How many of the heads a rank takes. */
    static int headsOf(int rank, int ranks, int heads) {
        return heads / ranks + (rank < heads % ranks ? 1 : 0);
    }

    @Override
    public String indivisible(ModelCard card, int nodes) {
        String heads =
                card.numKeyValueHeads().map(k -> ", num_key_value_heads=" + k).orElse("");
        return "No tensor sharding found over %d nodes for hidden_size=%d%s".formatted(nodes, card.hiddenSize(), heads);
    }

    @Override
    public Forecast forecast(List<Part> parts, SpeedModel speed) {
        return speed.tensor(parts);
    }
}
