package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerShutdown;
import skulk.api.cluster.Task;
import skulk.api.cluster.TaskId;
import skulk.api.cluster.TaskStatus;
import skulk.api.cluster.Topology.Edge;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/**
 * What all nodes agree on. Immutable; two nodes that applied the same events hold equal states.
 *
 * @param downloads the newest word of each node on each part of a model
 * @param edges source → sink → verified ways
 * @param deleted what was deleted lately, newest last, so that a node that was cut off does not bring it back
 * @param lastEventAppliedIdx number of the newest event applied, -1 before the first
 */
public record ClusterState(
        Map<InstanceId, Instance> instances,
        Map<RunnerId, RunnerStatus> runners,
        Map<TaskId, Task> tasks,
        Map<NodeId, List<Download>> downloads,
        Map<NodeId, Map<NodeId, List<Edge>>> edges,
        Map<ModelId, ModelCard> customCards,
        boolean tracingEnabled,
        List<Tombstone> deleted,
        long lastEventAppliedIdx) {

    /** An instance that was deleted on purpose, and what was placed in its stead. */
    public record Tombstone(InstanceId id, Optional<InstanceId> successor) {}

    /** What became of an instance. */
    enum Fate {
        /** It is there, or what was placed in its stead. */
        THERE,
        /** Somebody deleted it, or what was placed in its stead. */
        DELETED,
        /** Lost with a node, or never heard of. */
        ABSENT
    }

    /** How many deleted ones are remembered. */
    static final int TOMBSTONES = 256;

    public static final ClusterState EMPTY =
            new ClusterState(Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), false, List.of(), -1);

    public ClusterState {
        instances = Map.copyOf(instances);
        runners = Map.copyOf(runners);
        tasks = Map.copyOf(tasks);
        downloads = Map.copyOf(downloads);
        edges = Map.copyOf(edges);
        customCards = Map.copyOf(customCards);
        deleted = List.copyOf(deleted);
    }

    /**
     * The state after one more event. Pure and total: what refers to something unknown changes nothing but the number (contract section 1.2).
     *
     * @param index the event's number; one that was applied already changes nothing at all
     */
    public ClusterState apply(long index, Event event) {
        if (index <= lastEventAppliedIdx) {
            return this;
        }
        return changed(event).at(index);
    }

    private ClusterState changed(Event event) {
        return switch (event) {
            case Event.InstanceCreated(Instance instance) -> create(instance);
            case Event.InstanceDeleted(InstanceId id, boolean lost, Optional<InstanceId> successor) ->
                delete(id, lost, successor);
            case Event.RunnerStatusUpdated(RunnerId id, RunnerStatus status) -> runner(id, status);
            case Event.TaskCreated(TaskId id, Task task) -> withTasks(put(tasks, id, task));
            case Event.TaskStatusUpdated(TaskId id, TaskStatus status) -> task(id, t -> Tasks.withStatus(t, status));
            case Event.TaskFailed(TaskId id, String type, String message) ->
                task(id, t -> Tasks.failed(t, type, message));
            case Event.TaskDeleted(TaskId id) -> withTasks(remove(tasks, id));
            case Event.NodeDownloadProgress(Download download) -> download(download);
            case Event.NodeTimedOut(NodeId node) -> forget(node);
            case Event.TopologyEdgeCreated(Event.Connection connection) -> withEdges(Edges.add(edges, connection));
            case Event.TopologyEdgeDeleted(Event.Connection connection) -> withEdges(Edges.remove(edges, connection));
            case Event.CustomModelCardAdded(ModelCard card) -> withCards(put(customCards, card.modelId(), card));
            case Event.CustomModelCardDeleted(ModelId id) -> withCards(remove(customCards, id));
            case Event.TracingStateChanged(boolean enabled) -> withTracing(enabled);
            case Event.NodeGatheredInfo ignored -> this;
            case Event.ChunkGenerated ignored -> this;
        };
    }

    private ClusterState create(Instance instance) {
        if (tombstone(instance.instanceId()).isPresent()) {
            return this;
        }
        Map<RunnerId, RunnerStatus> statuses = new HashMap<>(runners);
        for (RunnerId runner : instance.shardAssignments().runnerToShard().keySet()) {
            statuses.putIfAbsent(runner, new RunnerStatus.RunnerIdle());
        }
        return withInstances(put(instances, instance.instanceId(), instance), statuses, deleted);
    }

    private ClusterState delete(InstanceId id, boolean lost, Optional<InstanceId> successor) {
        List<Tombstone> tombstones = new ArrayList<>(deleted);
        boolean stood = successor.isPresent()
                && tombstone(id)
                        .flatMap(Tombstone::successor)
                        .filter(first -> !first.equals(successor.get()) && fate(first) == Fate.THERE)
                        .isPresent();
        if (stood) {
            // of two in one's stead the first stays
            tombstones.removeIf(t -> t.id().equals(successor.get()));
            tombstones.add(new Tombstone(successor.get(), Optional.empty()));
        } else if (!lost) {
            tombstones.removeIf(t -> t.id().equals(id));
            tombstones.add(new Tombstone(id, successor));
        }
        if (tombstones.size() > TOMBSTONES) {
            tombstones.removeFirst();
        }
        Map<RunnerId, RunnerStatus> statuses = new HashMap<>(runners);
        Instance instance = instances.get(id);
        if (instance != null) {
            statuses.keySet()
                    .removeAll(instance.shardAssignments().runnerToShard().keySet());
        }
        return withInstances(remove(instances, id), statuses, tombstones);
    }

    private ClusterState runner(RunnerId id, RunnerStatus status) {
        boolean placed = instances.values().stream()
                .anyMatch(i -> i.shardAssignments().runnerToShard().containsKey(id));
        if (!placed) {
            return this;
        }
        // a rank that has ended has no record, until it is started again
        return withInstances(
                instances, status instanceof RunnerShutdown ? remove(runners, id) : put(runners, id, status), deleted);
    }

    private ClusterState task(TaskId id, UnaryOperator<Task> change) {
        Task task = tasks.get(id);
        // a task ends once: a late word on one that has ended does not revive it
        return task == null || task.taskStatus().isFinal() ? this : withTasks(put(tasks, id, change.apply(task)));
    }

    private ClusterState download(Download download) {
        List<Download> list = new ArrayList<>(downloads.getOrDefault(download.nodeId(), List.of()));
        int at = 0;
        while (at < list.size() && !list.get(at).shardMetadata().same(download.shardMetadata())) {
            at++;
        }
        if (at == list.size()) {
            list.add(download);
        } else {
            list.set(at, download);
        }
        return withDownloads(put(downloads, download.nodeId(), List.copyOf(list)));
    }

    private ClusterState forget(NodeId node) {
        Map<TaskId, Task> kept = new HashMap<>(tasks);
        kept.values().removeIf(t -> t.ownerNode().equals(node) && t.taskStatus().isFinal());
        return withTasks(kept).withDownloads(remove(downloads, node)).withEdges(Edges.without(edges, node));
    }

    /** The word on an instance that was deleted on purpose. */
    Optional<Tombstone> tombstone(InstanceId id) {
        return deleted.stream().filter(t -> t.id().equals(id)).findFirst();
    }

    /** Whether somebody deleted an instance, and did not have another placed in its stead. */
    public boolean deleted(InstanceId id) {
        return tombstone(id).filter(t -> t.successor().isEmpty()).isPresent();
    }

    /** Whether an instance that was there is gone with a node, and nothing stands in for it. */
    public boolean lost(InstanceId id) {
        return !instances.containsKey(id) && tombstone(id).isEmpty();
    }

    /** What became of an instance or of what was placed in its stead, and so on. */
    Fate fate(InstanceId id) {
        Optional<InstanceId> next = Optional.of(id);
        for (int i = 0; i <= deleted.size(); i++) { // no circle is walked twice
            InstanceId at = next.orElseThrow();
            if (instances.containsKey(at)) {
                return Fate.THERE;
            }
            Optional<Tombstone> tombstone = tombstone(at);
            if (tombstone.isEmpty()) {
                return Fate.ABSENT;
            }
            next = tombstone.get().successor();
            if (next.isEmpty()) {
                return Fate.DELETED;
            }
        }
        return Fate.ABSENT;
    }

    /** What an instance was placed in the stead of, and what that was, and so on. */
    Set<InstanceId> predecessors(InstanceId id) {
        Set<InstanceId> found = new LinkedHashSet<>();
        List<InstanceId> open = new ArrayList<>(List.of(id));
        while (!open.isEmpty()) {
            InstanceId successor = open.removeFirst();
            deleted.stream()
                    .filter(t -> t.successor().equals(Optional.of(successor)))
                    .filter(t -> found.add(t.id()))
                    .forEach(t -> open.add(t.id()));
        }
        return found;
    }

    /** The instances that have a rank on a node. */
    public List<Instance> instancesOn(NodeId node) {
        return instances.values().stream()
                .filter(i -> i.shardAssignments().nodeToRunner().containsKey(node))
                .toList();
    }

    /** The instances that have a rank on a node that is none of these. */
    public List<Instance> instancesBeyond(Collection<NodeId> members) {
        return instances.values().stream()
                .filter(i ->
                        !members.containsAll(i.shardAssignments().nodeToRunner().keySet()))
                .toList();
    }

    private static <K, V> Map<K, V> put(Map<K, V> map, K key, V value) {
        Map<K, V> copy = new HashMap<>(map);
        copy.put(key, value);
        return copy;
    }

    private static <K, V> Map<K, V> remove(Map<K, V> map, K key) {
        if (!map.containsKey(key)) {
            return map;
        }
        Map<K, V> copy = new HashMap<>(map);
        copy.remove(key);
        return copy;
    }

    private ClusterState at(long index) {
        return new ClusterState(
                instances, runners, tasks, downloads, edges, customCards, tracingEnabled, deleted, index);
    }

    private ClusterState withInstances(
            Map<InstanceId, Instance> newInstances, Map<RunnerId, RunnerStatus> newRunners, List<Tombstone> gone) {
        return new ClusterState(
                newInstances,
                newRunners,
                tasks,
                downloads,
                edges,
                customCards,
                tracingEnabled,
                gone,
                lastEventAppliedIdx);
    }

    private ClusterState withTasks(Map<TaskId, Task> changed) {
        return new ClusterState(
                instances,
                runners,
                changed,
                downloads,
                edges,
                customCards,
                tracingEnabled,
                deleted,
                lastEventAppliedIdx);
    }

    private ClusterState withDownloads(Map<NodeId, List<Download>> changed) {
        return new ClusterState(
                instances, runners, tasks, changed, edges, customCards, tracingEnabled, deleted, lastEventAppliedIdx);
    }

    private ClusterState withEdges(Map<NodeId, Map<NodeId, List<Edge>>> changed) {
        return new ClusterState(
                instances,
                runners,
                tasks,
                downloads,
                changed,
                customCards,
                tracingEnabled,
                deleted,
                lastEventAppliedIdx);
    }

    private ClusterState withCards(Map<ModelId, ModelCard> changed) {
        return new ClusterState(
                instances, runners, tasks, downloads, edges, changed, tracingEnabled, deleted, lastEventAppliedIdx);
    }

    private ClusterState withTracing(boolean enabled) {
        return new ClusterState(
                instances, runners, tasks, downloads, edges, customCards, enabled, deleted, lastEventAppliedIdx);
    }
}
