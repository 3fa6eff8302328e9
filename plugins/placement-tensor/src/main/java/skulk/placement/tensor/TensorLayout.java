package skulk.placement.tensor;

import java.util.ArrayList;
import java.util.Comparator;
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
 * Gives each rank whole key-value heads with their query heads, and the same share of the feed-forward columns. The heads need not divide evenly:
 * the first ranks take one more, and the nodes with the most memory come first. So up to as many ranks as key-value heads are possible, where the contract
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
    public Optional<List<Part>> split(
            ModelCard card, List<NodeId> ring, ToLongFunction<NodeId> usable, SpeedModel speed) {
        int ranks = ring.size();
        boolean possible = card.numKeyValueHeads().map(heads -> heads >= ranks).orElse(card.hiddenSize() % ranks == 0);
        if (!possible) {
            return Optional.empty();
        }
        int heads = card.numKeyValueHeads().orElse(ranks);
        List<NodeId> order = roomiestFirst(ring, heads, usable);
        List<Part> parts = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            double share = (double) ModelDemand.headsOf(rank, ranks, heads) / heads;
            parts.add(new Part(order.get(rank), share, Shard.TensorShardMetadata.of(card, rank, ranks)));
        }
        return Optional.of(parts);
    }

    /** The larger shares fall to the nodes with the most memory; all ranks exchange with all others, so their order is free. */
    private static List<NodeId> roomiestFirst(List<NodeId> ring, int heads, ToLongFunction<NodeId> usable) {
        return heads % ring.size() == 0
                ? ring
                : ring.stream()
                        .sorted(Comparator.comparingLong((NodeId node) -> -usable.applyAsLong(node)))
                        .toList();
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
