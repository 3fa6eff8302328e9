package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.kernel.rank.Samples;

/**
 * A network and the replicas of its nodes: it delays, keeps order per sender, loses what goes to the dead, and splits. {@link #settle} delivers everything.
 */
final class ReplicaWorld {
    final Random random;
    final Map<NodeId, Node> nodes = new LinkedHashMap<>();
    final List<Flight> flights = new ArrayList<>();
    long clock = 1000;
    long epochs;

    ReplicaWorld(long seed) {
        random = new Random(seed);
    }

    record Flight(NodeId from, NodeId to, long epoch, Message.Control message) {}

    /** A node that begins alone. */
    Node start(String name) {
        Node node = join(name);
        node.seated = true;
        node.view(new MembershipView(++epochs, List.of(profile(node.id))));
        return node;
    }

    /** A node whose first view will be the one that it is next grouped in. */
    Node join(String name) {
        return add(name, clock++);
    }

    /** A node that joins before all others, as {@code --force-master} does it. */
    Node joinAtTheHead(String name) {
        return add(name, -clock++);
    }

    private Node add(String name, long born) {
        Node node = new Node(new NodeId(name), this, born);
        nodes.put(node.id, node);
        return node;
    }

    /** These nodes see each other from now on, in this order; nodes of other groups are unreachable. */
    void group(List<Node> members) {
        MembershipView view = new MembershipView(
                ++epochs, members.stream().map(n -> profile(n.id)).toList());
        flights.removeIf(f -> members.stream().anyMatch(n -> n.id.equals(f.to))
                != members.stream().anyMatch(n -> n.id.equals(f.from)));
        members.forEach(n -> n.view(view));
    }

    /** Eldest first, as a membership would put them. */
    void groupAll() {
        group(alive());
    }

    /** Eldest first. */
    List<Node> alive() {
        return nodes.values().stream()
                .filter(n -> n.alive)
                .sorted(Comparator.comparingLong(n -> n.born))
                .toList();
    }

    void crash(Node node) {
        node.alive = false;
        flights.removeIf(f -> f.to.equals(node.id));
    }

    boolean step() {
        Optional<Node> joining =
                nodes.values().stream().filter(n -> n.alive && !n.seated).findFirst();
        if (joining.isPresent() && (flights.isEmpty() || random.nextBoolean())) {
            joining.get().seat();
            return true;
        }
        if (flights.isEmpty()) {
            return false;
        }
        Flight picked = flights.get(random.nextInt(flights.size()));
        Flight first = flights.stream()
                .filter(f -> f.from.equals(picked.from) && f.to.equals(picked.to))
                .findFirst()
                .orElseThrow();
        flights.remove(first);
        Node to = nodes.get(first.to);
        if (to.alive) {
            to.message(first);
        }
        return true;
    }

    void settle() {
        for (int i = 0; step(); i++) {
            assertTrue(i < 100_000, "messages without end");
        }
    }

    static NodeProfile profile(NodeId id) {
        return new NodeProfile(id, id.value(), "1", List.of(), 0, false);
    }

    static final class Node implements Replica.Host {
        final NodeId id;
        final ReplicaWorld world;
        final long born;
        final Replica replica;
        final List<Flight> early = new ArrayList<>();
        final Set<InstanceId> running = new HashSet<>();
        boolean alive = true;
        boolean seated;
        List<Event> facts = List.of();
        ClusterState before = ClusterState.EMPTY;

        Node(NodeId id, ReplicaWorld world, long born) {
            this.id = id;
            this.world = world;
            this.born = born;
            this.replica = new Replica(id, this, () -> world.clock++);
        }

        void view(MembershipView view) {
            replica.viewChanged(view);
            tell();
            List<Flight> waiting = new ArrayList<>(early);
            early.clear();
            waiting.forEach(this::message);
        }

        /** From now on it can send; its first view came before. */
        void seat() {
            seated = true;
            replica.greet();
        }

        void message(Flight flight) {
            long epoch = replica.view().epoch();
            if (flight.epoch() > epoch) {
                early.add(flight);
            } else if (flight.epoch() == epoch) {
                replica.message(flight.from(), flight.message());
                tell();
            }
        }

        void report(Event... events) {
            replica.report(List.of(events).stream().map(Reported::of).toList());
        }

        private void tell() {
            List<Event> now = facts;
            facts = List.of();
            report(now.toArray(Event[]::new));
        }

        @Override
        public void send(NodeId to, Message message) {
            if (!seated) {
                return;
            }
            world.flights.add(new Flight(id, to, replica.view().epoch(), (Message.Control) message));
        }

        @Override
        public void broadcast(Message message) {
            replica.view().members().stream().filter(m -> !m.id().equals(id)).forEach(m -> send(m.id(), message));
        }

        @Override
        public void applied(long index, Reported event) {
            if (event.event() instanceof Event.InstanceCreated(Instance i)
                    && i.shardAssignments().nodeToRunner().containsKey(id)) {
                running.add(i.instanceId());
            } else if (event.event() instanceof Event.InstanceDeleted(InstanceId gone, boolean lost, var successor)) {
                running.remove(gone);
            }
        }

        /** As the supervisor does it: whatever ran here and can go on is told anew, and what is not placed any more ends. */
        @Override
        public void adopted(ClusterState previous) {
            Set<NodeId> members = new HashSet<>();
            replica.view().members().forEach(m -> members.add(m.id()));
            List<Instance> whole = previous.instances().values().stream()
                    .filter(i -> running.contains(i.instanceId()))
                    .filter(i -> members.containsAll(
                            i.shardAssignments().nodeToRunner().keySet()))
                    .sorted(Comparator.comparing(i -> i.instanceId().value()))
                    .toList();
            facts = Losses.carried(previous, replica.state(), whole);
            Set<InstanceId> kept = new HashSet<>(replica.state().instances().keySet());
            facts.forEach(fact -> {
                if (fact instanceof Event.InstanceCreated(Instance i)) {
                    kept.add(i.instanceId());
                }
            });
            running.retainAll(kept);
        }

        /** As the node does it after each view: the coordinator places again what was lost with a node. */
        void replaceLost() {
            ClusterState now = replica.state();
            List<NodeId> members =
                    replica.view().members().stream().map(NodeProfile::id).toList();
            if (replica.coordinates()) {
                Losses.between(before, now, members).stream()
                        .sorted(Comparator.comparing(i -> i.instanceId().value()))
                        .forEach(i -> {
                            Instance successor = Samples.instance(
                                    i.modelId().value(), members.get(world.random.nextInt(members.size())));
                            report(
                                    Event.InstanceDeleted.replaced(i.instanceId(), successor.instanceId()),
                                    new Event.InstanceCreated(successor));
                        });
            }
            before = replica.state();
        }
    }
}
