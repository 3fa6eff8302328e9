package skulk.placement.pipeline;

import skulk.api.PlacementStrategy;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Sharding;
import skulk.api.placement.Placing;

/** Contiguous layers: each node holds some, activations travel from one to the next. */
final class PipelinePlacement implements PlacementStrategy {
    private final PipelineLayout layout;

    /** @param bySpeed whether layers are given out by the nodes' speed rather than by their memory */
    PipelinePlacement(boolean bySpeed) {
        layout = new PipelineLayout(bySpeed);
    }

    @Override
    public String name() {
        return Sharding.PIPELINE.toString();
    }

    @Override
    public PlacementDecision place(PlacementRequest request, ClusterView cluster) {
        return Placing.decide(request, cluster, layout);
    }
}
