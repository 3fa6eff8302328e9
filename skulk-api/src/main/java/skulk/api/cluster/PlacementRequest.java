package skulk.api.cluster;

import java.util.Optional;
import java.util.Set;
import skulk.api.model.ModelCard;

/**
 * What to place. Carries the ids to use, so that placing stays a pure function.
 *
 * @param minNodes at least that many nodes take part
 * @param excluded nodes that must not take part; unknown ids are ignored (runbook)
 * @param only where present, no other nodes may take part
 * @param instanceId the new instance's id; runner ids and the ephemeral port are derived from it
 */
public record PlacementRequest(
        ModelCard card,
        Sharding sharding,
        InstanceMeta meta,
        int minNodes,
        Set<NodeId> excluded,
        Optional<Set<NodeId>> only,
        InstanceId instanceId) {
    public PlacementRequest {
        excluded = Set.copyOf(excluded);
        only = only.map(Set::copyOf);
    }
}
