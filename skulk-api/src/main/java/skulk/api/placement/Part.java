package skulk.api.placement;

import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;

/**
 * One node's part of a model.
 *
 * @param share of the weights and of the KV cache, in 0…1
 */
public record Part(NodeId node, double share, Shard shard) {}
