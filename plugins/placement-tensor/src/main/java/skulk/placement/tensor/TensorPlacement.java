package skulk.placement.tensor;

import skulk.api.PlacementStrategy;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Sharding;
import skulk.api.placement.Placing;

/** A share of every layer on each node: all compute at once and add up their results. */
final class TensorPlacement implements PlacementStrategy {
    @Override
    public String name() {
        return Sharding.TENSOR.toString();
    }

    @Override
    public PlacementDecision place(PlacementRequest request, ClusterView cluster) {
        return Placing.decide(request, cluster, new TensorLayout());
    }
}
