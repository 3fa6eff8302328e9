package skulk.kernel.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeHealth;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeProfile;
import skulk.api.cluster.Topology;

/** What the members tell of themselves, the newest report winning part by part, and the view made of it and the agreed state. Used by one thread. */
final class NodeTable {
    private static final Duration REFUSAL_KNOWN = Duration.ofMinutes(10);

    private final NodeId self;
    private final Map<NodeId, NodeInfo> infos = new HashMap<>();
    private final Map<NodeId, Refusal> refusals = new HashMap<>();

    NodeTable(NodeId self) {
        this.self = self;
    }

    void heard(NodeId node, NodeInfo info, Instant now) {
        infos.merge(node, seen(info, now), NodeTable::newer);
    }

    /** Forgets who left, and knows of who joined by name alone. */
    void members(MembershipView view, Instant now) {
        infos.keySet().retainAll(view.members().stream().map(NodeProfile::id).toList());
        for (NodeProfile member : view.members()) {
            infos.putIfAbsent(member.id(), seen(blank(member), now));
        }
    }

    Optional<NodeInfo> info(NodeId node) {
        return Optional.ofNullable(infos.get(node));
    }

    ClusterView view(ClusterState state, MembershipView membership, Instant now) {
        List<NodeId> members =
                membership.members().stream().map(NodeProfile::id).toList();
        Map<NodeId, NodeInfo> nodes = new LinkedHashMap<>();
        Map<NodeId, NodeHealth> health = new LinkedHashMap<>();
        noteRefusals(state, now);
        for (NodeId member : members) {
            NodeInfo info = infos.get(member);
            if (info != null) {
                nodes.put(member, info);
                health.put(
                        member,
                        Health.of(
                                info,
                                state.downloads().getOrDefault(member, List.of()),
                                Optional.ofNullable(refusals.get(member)).map(Refusal::why),
                                now));
            }
        }
        return new ClusterView(
                self,
                members.isEmpty() ? Optional.empty() : Optional.of(members.getFirst()),
                membership.epoch(),
                members,
                state.instances(),
                state.runners(),
                state.tasks(),
                state.downloads(),
                nodes,
                new Topology(members, state.edges()),
                health,
                state.tracingEnabled(),
                state.lastEventAppliedIdx());
    }

    /** A refused placement is soon gone from the state; why it was refused stays known for a while. */
    private void noteRefusals(ClusterState state, Instant now) {
        refusals.values().removeIf(refusal -> refusal.at().plus(REFUSAL_KNOWN).isBefore(now));
        for (Instance instance : state.instances().values()) {
            instance.shardAssignments()
                    .nodeToRunner()
                    .forEach((node, runner) -> Optional.ofNullable(
                                    state.runners().get(runner))
                            .flatMap(LoadCheck::refused)
                            .ifPresent(why -> refusals.put(node, new Refusal(why, now))));
        }
    }

    private record Refusal(String why, Instant at) {}

    private static NodeInfo newer(NodeInfo old, NodeInfo fresh) {
        return new NodeInfo(
                fresh.lastSeen(),
                fresh.identity().or(old::identity),
                fresh.memory().or(old::memory),
                fresh.disk().or(old::disk),
                fresh.system().or(old::system),
                fresh.network().isEmpty() ? old.network() : fresh.network(),
                fresh.resources().or(old::resources));
    }

    private static NodeInfo seen(NodeInfo info, Instant now) {
        return new NodeInfo(
                now, info.identity(), info.memory(), info.disk(), info.system(), info.network(), info.resources());
    }

    private static NodeInfo blank(NodeProfile member) {
        var identity = new NodeInfo.Identity(
                "Unknown", "Unknown", member.friendlyName(), "Unknown", "Unknown", member.version(), "Unknown");
        return new NodeInfo(
                Instant.EPOCH,
                Optional.of(identity),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
    }
}
