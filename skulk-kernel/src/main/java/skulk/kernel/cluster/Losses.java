package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Task;

/** What follows from the absence of nodes and instances; pure, decided by the coordinator alone. */
public final class Losses {
    /** The words of contract section 3. */
    public static final String INSTANCE_LOST =
            "The instance executing this request was lost (node disconnected or instance deleted)";

    private Losses() {}

    /**
     * The events by which the state lets go of everything that depended on nodes that are not members: first the tasks (contract section 10, "Lost worker"), then
     * the instances, then the nodes.
     */
    public static List<Event> ofNodes(ClusterState state, Collection<NodeId> members) {
        List<Event> events = new ArrayList<>();
        List<Instance> lost = state.instancesBeyond(members);
        for (Instance instance : lost) {
            events.addAll(tasksOf(state, instance));
        }
        for (Task task : state.tasks().values()) {
            boolean orphan = !members.contains(task.ownerNode())
                    && lost.stream().noneMatch(i -> i.instanceId().equals(task.instanceId()));
            if (orphan && !task.taskStatus().isFinal()) {
                events.add(new Event.TaskFailed(task.taskId(), "owner_lost", "The node that asked for this was lost"));
            }
        }
        for (Instance instance : lost) {
            events.add(Event.InstanceDeleted.lost(instance.instanceId()));
        }
        for (NodeId node : gone(state, members)) {
            events.add(new Event.NodeTimedOut(node));
        }
        return events;
    }

    /** The failures of an instance's tasks that are under way. */
    public static List<Event> tasksOf(ClusterState state, Instance instance) {
        return state.tasks().values().stream()
                .filter(t -> t.instanceId().equals(instance.instanceId())
                        && !t.taskStatus().isFinal())
                .sorted((a, b) -> a.taskId().value().compareTo(b.taskId().value()))
                .<Event>map(t -> new Event.TaskFailed(t.taskId(), "instance_lost", INSTANCE_LOST))
                .toList();
    }

    /** The instances of one state that are not in the next because a node of theirs has left, and for which nothing is there in their stead or they in its. */
    static List<Instance> between(ClusterState before, ClusterState now, Collection<NodeId> members) {
        return before.instances().values().stream()
                .filter(i -> now.lost(i.instanceId()))
                .filter(i ->
                        !members.containsAll(i.shardAssignments().nodeToRunner().keySet()))
                .filter(i -> before.predecessors(i.instanceId()).stream()
                        .allMatch(p -> now.tombstone(p).isEmpty()
                                ? now.lost(p)
                                : before.tombstone(p).equals(now.tombstone(p))))
                .toList();
    }

    /**
     * Of the instances that run on a node that takes over another state, those that this state is to take in, with what they stand in for. One that was placed in the
     * stead of an instance that was out of reach is not needed where that one is still there, or another one in its stead, nor where somebody has deleted it.
     *
     * @param previous the node's state before
     */
    static List<Event> carried(ClusterState previous, ClusterState now, Collection<Instance> running) {
        List<Event> carried = new ArrayList<>();
        for (Instance instance : running) {
            InstanceId id = instance.instanceId();
            Set<InstanceId> predecessors = previous.predecessors(id);
            boolean settled = now.instances().containsKey(id)
                    || now.tombstone(id).isPresent()
                    || predecessors.stream().anyMatch(p -> now.fate(p) != ClusterState.Fate.ABSENT);
            if (!settled) {
                predecessors.forEach(p -> carried.add(Event.InstanceDeleted.replaced(p, id)));
                carried.add(new Event.InstanceCreated(instance));
            }
        }
        return carried;
    }

    private static Collection<NodeId> gone(ClusterState state, Collection<NodeId> members) {
        Set<NodeId> mentioned = new LinkedHashSet<>(state.downloads().keySet());
        state.edges().forEach((source, sinks) -> {
            mentioned.add(source);
            mentioned.addAll(sinks.keySet());
        });
        state.instances()
                .values()
                .forEach(i ->
                        mentioned.addAll(i.shardAssignments().nodeToRunner().keySet()));
        state.tasks().values().forEach(t -> mentioned.add(t.ownerNode()));
        TreeSet<NodeId> gone = new TreeSet<>((a, b) -> a.value().compareTo(b.value()));
        mentioned.stream().filter(n -> !members.contains(n)).forEach(gone::add);
        return gone;
    }
}
