package skulk.api.cluster;

import java.util.Optional;
import skulk.api.model.ModelCard;

/**
 * One rank's part of a model (contract section 1.1).
 *
 * <p>{@code startLayer} is inclusive, {@code endLayer} exclusive. {@code immediateException} and {@code shouldTimeout} are fields of the wire
 * that Skulk always writes as false and null.
 */
public sealed interface Shard {
    ModelCard modelCard();

    int deviceRank();

    int worldSize();

    int startLayer();

    int endLayer();

    int nLayers();

    /** How the model was cut. */
    default Sharding sharding() {
        return this instanceof TensorShardMetadata ? Sharding.TENSOR : Sharding.PIPELINE;
    }

    /** Whether this is all of the model. */
    default boolean whole() {
        return worldSize() == 1;
    }

    /** Whether a node that has the files of this shard has those of the other, too. */
    default boolean covers(Shard other) {
        if (!modelCard().modelId().equals(other.modelCard().modelId())) {
            return false;
        }
        if (whole()) {
            return true;
        }
        return switch (this) {
            case PipelineShardMetadata mine ->
                other instanceof PipelineShardMetadata
                        && startLayer() <= other.startLayer()
                        && endLayer() >= other.endLayer();
            case TensorShardMetadata mine ->
                other instanceof TensorShardMetadata
                        && worldSize() == other.worldSize()
                        && deviceRank() == other.deviceRank();
        };
    }

    /** Whether both are the same part of the same model, whatever else their cards say. */
    default boolean same(Shard other) {
        return covers(other) && other.covers(this);
    }

    /** Contiguous layers. */
    record PipelineShardMetadata(
            ModelCard modelCard,
            int deviceRank,
            int worldSize,
            String resolvedBackend,
            boolean immediateException,
            Optional<Double> shouldTimeout,
            int startLayer,
            int endLayer,
            int nLayers)
            implements Shard {
        /** All layers on one rank. */
        public static PipelineShardMetadata all(ModelCard card) {
            return of(card, 0, 1, 0, card.nLayers());
        }

        public static PipelineShardMetadata of(ModelCard card, int rank, int ranks, int startLayer, int endLayer) {
            return new PipelineShardMetadata(
                    card, rank, ranks, backend(card), false, Optional.empty(), startLayer, endLayer, card.nLayers());
        }
    }

    /** A share of the heads and feed-forward columns of every layer. */
    record TensorShardMetadata(
            ModelCard modelCard,
            int deviceRank,
            int worldSize,
            String resolvedBackend,
            boolean immediateException,
            Optional<Double> shouldTimeout,
            int startLayer,
            int endLayer,
            int nLayers)
            implements Shard {
        public static TensorShardMetadata of(ModelCard card, int rank, int ranks) {
            return new TensorShardMetadata(
                    card, rank, ranks, backend(card), false, Optional.empty(), 0, card.nLayers(), card.nLayers());
        }
    }

    /** The engine that a card asks for first; {@code mlx} where it leaves the choice open. */
    private static String backend(ModelCard card) {
        return card.placement().stream()
                .flatMap(p -> p.compatibleBackends().stream())
                .findFirst()
                .orElse("mlx");
    }
}
