package skulk.api.cluster;

import java.util.Map;

/** The answer of a placement strategy. */
public sealed interface PlacementDecision {
    /**
     * It works like this.
     *
     * @param memoryDeltaByNode weight bytes each node takes on
     * @param forecast what to expect
     */
    record Place(Instance instance, Map<NodeId, Long> memoryDeltaByNode, Forecast forecast)
            implements PlacementDecision {
        public Place {
            memoryDeltaByNode = Map.copyOf(memoryDeltaByNode);
        }
    }

    /** It cannot work with these nodes; the reason names the node and the arithmetic (contract section 9.4). */
    record Refuse(String reason) implements PlacementDecision {}

    /** It may work once the view has settled (runbook, "info-pending"). */
    record Wait(String reason) implements PlacementDecision {}

    /**
     * Predicted speed; 0 where the view holds no measurements to predict from.
     *
     * @param tokensPerSecond of one stream decoding
     * @param firstTokenSeconds for a prompt of 512 tokens
     * @param requiredBytesByNode memory each node needs, weights, KV cache and overhead
     */
    record Forecast(double tokensPerSecond, double firstTokenSeconds, Map<NodeId, Long> requiredBytesByNode) {
        public Forecast {
            requiredBytesByNode = Map.copyOf(requiredBytesByNode);
        }
    }
}
