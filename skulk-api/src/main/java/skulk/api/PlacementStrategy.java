package skulk.api;

import skulk.api.cluster.ClusterView;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;

/** Decides where a model goes. Its name is the wire's sharding word, {@code Pipeline} or {@code Tensor}. */
public non-sealed interface PlacementStrategy extends Extension {
    /** A pure function: no clock, no I/O, no state, no randomness but the request's ids; the same view gives the same answer on every node. */
    PlacementDecision place(PlacementRequest request, ClusterView cluster);
}
