package skulk.kernel.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.kernel.cluster.ClusterState.Tombstone;

/**
 * What was placed and is not: with a node that left and nowhere else to go, or before all nodes were restarted. It is placed again once its nodes are back (see the
 * decision on partitions). Used by one thread; does no I/O, the file is {@link WishFile}.
 */
public final class Wishes {
    /** A node that has come back tells what runs on it first, and the state of others reaches this node. */
    static final Duration SETTLED = Duration.ofSeconds(3);
    /** What was placed before all nodes were restarted waits so long for its own nodes, then takes any. */
    static final Duration PATIENCE = Duration.ofSeconds(60);
    /** A model that takes its machine down with it is not placed at each start; one that has served for so long did not. */
    static final Duration PROVEN = Duration.ofSeconds(60);

    static final int TRIES = 3;

    private final Instant begun;
    private final Optional<Kept> found;
    private final Map<InstanceId, Open> open = new LinkedHashMap<>();
    private final Map<InstanceId, Integer> tries = new HashMap<>();
    private final Map<InstanceId, Instant> serving = new HashMap<>();
    private final Map<NodeId, String> names = new HashMap<>();
    private final Map<NodeId, Instant> since = new HashMap<>();
    private boolean buried;

    /**
     * A placement as it outlives its nodes, whose ids do not.
     *
     * @param nodes friendly names, by rank
     * @param excluded where it is not to be placed; ids, which mean nothing once the nodes are restarted
     * @param tries how often it was placed after a restart without having served for a while
     */
    public record Wish(
            InstanceId id, ModelCard card, Sharding sharding, List<String> nodes, Set<NodeId> excluded, int tries) {}

    /**
     * What the coordinator keeps on disk.
     *
     * @param originMillis of its {@link Reign}: a cluster of the same origin has lived on and knows better
     * @param deleted so that an older file of another node brings nothing back
     */
    public record Kept(long originMillis, List<Wish> wishes, List<Tombstone> deleted) {}

    /** @param nodes exactly these; empty = any */
    record Order(Wish wish, Set<NodeId> nodes) {}

    /** @param found in the file, so that this node sees to it whoever coordinates */
    private record Open(Wish wish, boolean found, Optional<Long> triedIn) {}

    Wishes(Optional<Kept> found, Instant now) {
        this.found = found;
        this.begun = now;
        found.ifPresent(kept -> kept.wishes().forEach(w -> open.put(w.id(), new Open(w, true, Optional.empty()))));
    }

    /** Another line of numbers is the truth here from now on; what this node saw lost before is not its business any more. */
    void adopted(Reign reign) {
        boolean livedOn = found.isPresent() && found.get().originMillis() == reign.originMillis();
        open.values().removeIf(wish -> !wish.found() || livedOn);
    }

    /** Takes note of a change. */
    void changed(ClusterView before, ClusterView after, ClusterState state, Instant now) {
        after.nodes()
                .forEach((node, info) ->
                        info.identity().ifPresent(identity -> names.put(node, identity.friendlyName())));
        since.keySet().retainAll(after.members());
        after.members().forEach(member -> since.putIfAbsent(member, now));
        if (before.instances() != after.instances()) {
            instances(before.instances(), after.instances(), state);
        }
        serving.keySet().retainAll(after.instances().keySet());
        tries.keySet().removeIf(id -> {
            Instance instance = after.instances().get(id);
            if (instance != null && after.serving(instance)) {
                return now.isAfter(serving.computeIfAbsent(id, i -> now).plus(PROVEN));
            }
            serving.remove(id);
            return false;
        });
    }

    private void instances(Map<InstanceId, Instance> before, Map<InstanceId, Instance> after, ClusterState state) {
        Map<ModelId, Integer> settled = new HashMap<>();
        for (Instance instance : before.values()) {
            InstanceId id = instance.instanceId();
            if (!after.containsKey(id) && state.lost(id)) {
                open.put(id, new Open(wish(instance), false, Optional.empty()));
            }
        }
        open.values().removeIf(wish -> {
            boolean gone = state.tombstone(wish.wish().id()).isPresent()
                    || after.containsKey(wish.wish().id());
            if (gone) {
                settled.merge(wish.wish().card().modelId(), 1, Integer::sum);
            }
            return gone;
        });
        // what somebody places by hand stands for one that was waited for
        for (Instance instance : after.values()) {
            if (!before.containsKey(instance.instanceId()) && settled.merge(instance.modelId(), -1, Integer::sum) < 0) {
                open.values().stream()
                        .filter(wish -> wish.wish().card().modelId().equals(instance.modelId()))
                        .findFirst()
                        .ifPresent(wish -> open.remove(wish.wish().id()));
            }
        }
    }

    /**
     * What is to be placed now.
     *
     * @param anywhere whether what has waited long enough for its nodes may go to others
     */
    List<Order> due(ClusterView view, boolean anywhere, Instant now) {
        List<Order> due = new ArrayList<>();
        if (now.isBefore(begun.plus(SETTLED))) {
            return due;
        }
        boolean coordinates = view.master().equals(Optional.of(view.self()));
        for (Open waiting : List.copyOf(open.values())) {
            Wish wish = waiting.wish();
            boolean again = !waiting.triedIn().equals(Optional.of(view.epoch()));
            if ((coordinates || waiting.found()) && again && wish.tries() < TRIES) {
                boolean patient = waiting.found() && anywhere && now.isAfter(begun.plus(PATIENCE));
                back(wish, view, now)
                        .or(() -> patient ? Optional.of(Set.of()) : Optional.empty())
                        .ifPresent(nodes -> {
                            due.add(new Order(wish, nodes));
                            open.put(wish.id(), new Open(wish, waiting.found(), Optional.of(view.epoch())));
                        });
            }
        }
        return due;
    }

    /** The nodes of a wish, where all of them are back and have settled. */
    private Optional<Set<NodeId>> back(Wish wish, ClusterView view, Instant now) {
        Set<NodeId> nodes = new HashSet<>();
        for (String name : wish.nodes()) {
            view.members().stream()
                    .filter(member -> name.equals(names.get(member))
                            && !now.isBefore(since.get(member).plus(SETTLED)))
                    .forEach(nodes::add);
        }
        return nodes.size() == wish.nodes().size() ? Optional.of(nodes) : Optional.empty();
    }

    /** A wish has been placed under another id. */
    void placed(Wish wish, InstanceId successor) {
        open.remove(wish.id());
        tries.put(successor, wish.tries() + 1);
    }

    /** What an earlier run had deleted and this cluster does not know of, once. */
    List<Tombstone> unknown(ClusterState state, Instant now) {
        if (buried || found.isEmpty() || now.isBefore(begun.plus(SETTLED))) {
            return List.of();
        }
        buried = true;
        return found.get().deleted().stream()
                .filter(t -> state.tombstone(t.id()).isEmpty())
                .toList();
    }

    /** Whether anything of the file is still to be placed. */
    boolean waits() {
        return open.values().stream().anyMatch(Open::found);
    }

    /** What the coordinator is to keep. */
    Kept kept(Reign reign, ClusterState state) {
        List<Wish> wishes = new ArrayList<>();
        state.instances().values().forEach(instance -> wishes.add(wish(instance)));
        open.values().forEach(waiting -> wishes.add(waiting.wish()));
        wishes.sort(Comparator.comparing(wish -> wish.id().value()));
        return new Kept(reign.originMillis(), wishes, state.deleted());
    }

    private Wish wish(Instance instance) {
        Shard shard =
                instance.shardAssignments().runnerToShard().values().iterator().next();
        return new Wish(
                instance.instanceId(),
                shard.modelCard(),
                shard.sharding(),
                instance.shardAssignments().nodesByRank().stream()
                        .map(node -> Objects.requireNonNullElse(names.get(node), node.value()))
                        .toList(),
                instance.excludedNodes(),
                tries.getOrDefault(instance.instanceId(), 0));
    }
}
