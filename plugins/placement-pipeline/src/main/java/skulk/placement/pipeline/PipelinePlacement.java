package skulk.placement.pipeline;

import skulk.api.PlacementStrategy;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Sharding;
import skulk.api.placement.Placing;

/** Contiguous layers: each node holds some, activations travel from one to the next. */
final class PipelinePlacement implements PlacementStrategy {
    @Override
    public String name() {
        return Sharding.PIPELINE.toString();
    }

    @Override
    public PlacementDecision place(PlacementRequest request, ClusterView cluster) {
        return Placing.decide(request, cluster, new PipelineLayout());
    }
}
