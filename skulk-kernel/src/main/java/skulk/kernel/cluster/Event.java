package skulk.kernel.cluster;

import java.time.Instant;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.Task;
import skulk.api.cluster.TaskId;
import skulk.api.cluster.TaskStatus;
import skulk.api.cluster.Topology;
import skulk.api.json.Json;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/**
 * A fact that every node comes to know, in one order. The names and components are those of the wire contract, section 1.5.
 *
 * <p>{@link NodeGatheredInfo} and {@link ChunkGenerated} change no state: they exist for {@code GET /events} and never travel between nodes.
 */
public sealed interface Event {
    record InstanceCreated(Instance instance) implements Event {}

    /**
     * @param lost because a node of it is gone, not because somebody wanted it; then it may come back with that node
     * @param successor what is placed in its stead; where that is still there, the deleted one does not come back, and the other way round
     */
    record InstanceDeleted(InstanceId instanceId, boolean lost, Optional<InstanceId> successor) implements Event {
        static InstanceDeleted lost(InstanceId id) {
            return new InstanceDeleted(id, true, Optional.empty());
        }

        /** Somebody wanted it, or it crashed too often. */
        public static InstanceDeleted wanted(InstanceId id) {
            return new InstanceDeleted(id, false, Optional.empty());
        }

        public static InstanceDeleted replaced(InstanceId id, InstanceId successor) {
            return new InstanceDeleted(id, false, Optional.of(successor));
        }
    }

    record RunnerStatusUpdated(RunnerId runnerId, RunnerStatus runnerStatus) implements Event {}

    record TaskCreated(TaskId taskId, Task task) implements Event {}

    record TaskStatusUpdated(TaskId taskId, TaskStatus taskStatus) implements Event {}

    record TaskFailed(TaskId taskId, String errorType, String errorMessage) implements Event {}

    record TaskDeleted(TaskId taskId) implements Event {}

    record NodeDownloadProgress(Download downloadProgress) implements Event {}

    /** A node has left or died. */
    record NodeTimedOut(NodeId nodeId) implements Event {}

    record TopologyEdgeCreated(Connection conn) implements Event {}

    record TopologyEdgeDeleted(Connection conn) implements Event {}

    record CustomModelCardAdded(ModelCard modelCard) implements Event {}

    record CustomModelCardDeleted(ModelId modelId) implements Event {}

    record TracingStateChanged(boolean enabled) implements Event {}

    /** What a node told of itself, log only: the readings themselves are telemetry. */
    record NodeGatheredInfo(NodeId nodeId, Instant when, Json info) implements Event {}

    /** A piece of output, log only. */
    record ChunkGenerated(CommandId commandId, Json chunk) implements Event {}

    /** One direct way from a node to another. */
    record Connection(NodeId source, NodeId sink, Topology.Edge edge) {}

    /** Whether the event exists for the log alone. */
    default boolean logOnly() {
        return this instanceof NodeGatheredInfo || this instanceof ChunkGenerated;
    }
}
