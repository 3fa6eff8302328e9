package skulk.api.placement;

import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision;
import skulk.api.model.ModelCard;

/** How a strategy cuts a model up: the part of placement that differs between strategies. Pure functions. */
public interface Layout {
    /** Why this model can never be cut up this way, or empty. */
    Optional<String> refusal(ModelCard card);

    /**
     * The parts over two or more nodes, rank by rank; their shares sum to 1. They need not fit: the caller checks each part against its node.
     *
     * @param ring nodes in the order of a cycle of the topology
     * @param usable bytes each node can use
     * @param speed what nodes take for their parts
     * @return empty where the model cannot be cut into that many parts
     */
    Optional<List<Part>> split(ModelCard card, List<NodeId> ring, ToLongFunction<NodeId> usable, SpeedModel speed);

    /** Why a model cannot be cut into that many parts. */
    String indivisible(ModelCard card, int nodes);

    /** The speed to expect of parts. */
    PlacementDecision.Forecast forecast(List<Part> parts, SpeedModel speed);
}
