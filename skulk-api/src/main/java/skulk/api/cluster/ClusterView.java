package skulk.api.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.model.ModelId;

/**
 * Everything a decision needs to know about the cluster at one moment: the input of placement and planning, the source of {@code GET /state}.
 * Immutable; a new one is published after every change.
 *
 * @param self the node this view was taken on
 * @param master the coordinator, empty while none is agreed
 * @param epoch of the membership view; rises with every change of members
 * @param members all live nodes, eldest first; the first one coordinates
 * @param nodes what is known of each member
 * @param nodeHealth worked out at read time, see {@link NodeHealth}
 * @param lastEventAppliedIdx number of the newest control event applied, -1 before the first
 */
public record ClusterView(
        NodeId self,
        Optional<NodeId> master,
        long epoch,
        List<NodeId> members,
        Map<InstanceId, Instance> instances,
        Map<RunnerId, RunnerStatus> runners,
        Map<TaskId, Task> tasks,
        Map<NodeId, List<Download>> downloads,
        Map<NodeId, NodeInfo> nodes,
        Topology topology,
        Map<NodeId, NodeHealth> nodeHealth,
        boolean tracingEnabled,
        long lastEventAppliedIdx) {

    public ClusterView {
        members = List.copyOf(members);
        instances = Map.copyOf(instances);
        runners = Map.copyOf(runners);
        tasks = Map.copyOf(tasks);
        downloads = Map.copyOf(downloads);
        nodes = Map.copyOf(nodes);
        nodeHealth = Map.copyOf(nodeHealth);
    }

    /** The view of a node that knows nobody yet. */
    public static ClusterView empty(NodeId self) {
        return new ClusterView(
                self,
                Optional.empty(),
                0,
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Topology.EMPTY,
                Map.of(),
                false,
                -1);
    }

    /** The instances of a model, serving or not. */
    public Stream<Instance> instancesOf(ModelId model) {
        return instances.values().stream().filter(i -> i.modelId().equals(model));
    }

    /** Whether every rank of an instance answers requests. */
    public boolean serving(Instance instance) {
        return instance.shardAssignments().runnerToShard().keySet().stream()
                .allMatch(r -> runners.containsKey(r) && runners.get(r).serving());
    }
}
