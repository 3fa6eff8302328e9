package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.kernel.rank.Samples;

/** Whole clusters of replicas over a network that delays, keeps order per sender, loses what goes to the dead, and splits. */
class ReplicaTest {

    /** The network and its nodes; {@link #settle} delivers everything. */
    private static final class World {
        final Random random;
        final Map<NodeId, Node> nodes = new LinkedHashMap<>();
        final List<Flight> flights = new ArrayList<>();
        long clock = 1000;
        long epochs;

        World(long seed) {
            random = new Random(seed);
        }

        record Flight(NodeId from, NodeId to, long epoch, Message.Control message) {}

        Node start(String name) {
            Node node = new Node(new NodeId(name), this, clock++);
            nodes.put(node.id, node);
            node.view(new MembershipView(++epochs, List.of(profile(node.id))));
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
            group(nodes.values().stream()
                    .filter(n -> n.alive)
                    .sorted(Comparator.comparingLong(n -> n.born))
                    .toList());
        }

        void crash(Node node) {
            node.alive = false;
            flights.removeIf(f -> f.to.equals(node.id));
        }

        boolean step() {
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
    }

    private static final class Node implements Replica.Host {
        final NodeId id;
        final World world;
        final long born;
        final Replica replica;
        final List<World.Flight> early = new ArrayList<>();
        final Set<InstanceId> running = new HashSet<>();
        boolean alive = true;
        List<Event> facts = List.of();

        Node(NodeId id, World world, long born) {
            this.id = id;
            this.world = world;
            this.born = born;
            this.replica = new Replica(id, this, () -> world.clock++);
        }

        void view(MembershipView view) {
            replica.viewChanged(view);
            tell();
            List<World.Flight> waiting = new ArrayList<>(early);
            early.clear();
            waiting.forEach(this::message);
        }

        void message(World.Flight flight) {
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
            world.flights.add(new World.Flight(id, to, replica.view().epoch(), (Message.Control) message));
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
            } else if (event.event() instanceof Event.InstanceDeleted(InstanceId gone, boolean lost)) {
                running.remove(gone);
            }
        }

        /** As the supervisor does it: whatever ran here and can go on is told anew. */
        @Override
        public void adopted(ClusterState previous) {
            Set<NodeId> members = new HashSet<>();
            replica.view().members().forEach(m -> members.add(m.id()));
            List<Event> again = new ArrayList<>();
            previous.instances().values().stream()
                    .filter(i -> i.shardAssignments().nodeToRunner().containsKey(id))
                    .filter(i -> members.containsAll(
                            i.shardAssignments().nodeToRunner().keySet()))
                    .filter(i -> !replica.state().instances().containsKey(i.instanceId()))
                    .forEach(i -> again.add(new Event.InstanceCreated(i)));
            facts = again;
        }
    }

    private static void agree(World world) {
        ClusterState truth = null;
        Reign reign = null;
        for (Node node : world.nodes.values()) {
            if (node.alive) {
                truth = truth == null ? node.replica.state() : truth;
                reign = reign == null ? node.replica.reign() : reign;
                assertEquals(truth, node.replica.state(), "state of " + node.id);
                assertEquals(reign, node.replica.reign(), "reign of " + node.id);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void anyOrderOfJoinsCrashesAndReportsEndsInOneTruth(long seed) {
        World world = new World(seed);
        Random random = world.random;
        world.start("n0");
        Set<InstanceId> expected = new HashSet<>();
        for (int action = 0; action < 120; action++) {
            List<Node> alive =
                    world.nodes.values().stream().filter(n -> n.alive).toList();
            Node node = alive.get(random.nextInt(alive.size()));
            switch (random.nextInt(8)) {
                case 0 -> {
                    if (alive.size() < 5) {
                        world.start("n" + world.nodes.size());
                        world.groupAll();
                    }
                }
                case 1 -> {
                    if (alive.size() > 2) {
                        world.crash(node);
                        expected.clear(); // what it alone knew may be gone; what is left is compared between nodes
                        world.groupAll();
                    }
                }
                case 2, 3 -> {
                    Instance instance = Samples.instance("org/m" + action, node.id);
                    node.report(new Event.InstanceCreated(instance));
                    expected.add(instance.instanceId());
                }
                case 4 ->
                    node.replica.state().instances().keySet().stream()
                            .findFirst()
                            .ifPresent(id -> {
                                node.report(new Event.InstanceDeleted(id, false));
                                expected.remove(id);
                            });
                case 5 ->
                    node.replica.state().runners().keySet().stream()
                            .min(Comparator.comparing(RunnerId::value))
                            .ifPresent(r -> node.report(new Event.RunnerStatusUpdated(
                                    r, new RunnerStatus.RunnerLoading(random.nextInt(9), 9))));
                default -> {
                    for (int i = random.nextInt(10); i > 0; i--) {
                        world.step();
                    }
                }
            }
        }
        world.settle();
        agree(world);
        ClusterState truth = world.nodes.values().stream()
                .filter(n -> n.alive)
                .findFirst()
                .orElseThrow()
                .replica
                .state();
        assertTrue(truth.instances().keySet().containsAll(expected), "no instance of a living node is lost");
    }

    @Test
    void theSideThatKeptItsCoordinatorWinsAndNothingThatRunsIsLost() {
        for (boolean losersFirst : List.of(false, true)) {
            World world = new World(7);
            Node a = world.start("a");
            Node b = world.start("b");
            Node c = world.start("c");
            world.groupAll();
            world.settle();
            Instance onC = Samples.instance("org/c", c.id);
            Instance onA = Samples.instance("org/a", a.id);
            a.report(new Event.InstanceCreated(onC), new Event.InstanceCreated(onA));
            world.settle();
            agree(world);

            world.group(List.of(a, b));
            world.group(List.of(c));
            world.settle();
            assertFalse(a.replica.state().instances().containsKey(onC.instanceId()), "its node is out of reach");
            assertTrue(c.replica.state().instances().containsKey(onC.instanceId()));
            Instance during = Samples.instance("org/b", b.id);
            b.report(new Event.InstanceCreated(during));
            world.settle();
            Reign kept = a.replica.reign();

            world.group(losersFirst ? List.of(c, a, b) : List.of(a, b, c));
            world.settle();
            agree(world);
            assertEquals(kept, c.replica.reign());
            assertEquals(
                    Set.of(onA.instanceId(), onC.instanceId(), during.instanceId()),
                    a.replica.state().instances().keySet());
        }
    }

    @Test
    void whatBothSidesPlacedInTheSteadOfTheOthersIsNotDoubled() {
        NodeId a = new NodeId("a");
        NodeId c = new NodeId("c");
        Instance onA = Samples.instance("org/m", a);
        Instance standIn = Samples.instance("org/m", c);
        Instance another = Samples.instance("org/other", c);
        ClusterState before = ClusterState.EMPTY
                .apply(0, new Event.InstanceCreated(onA))
                .apply(1, new Event.InstanceDeleted(onA.instanceId(), true))
                .apply(2, new Event.InstanceDeleted(onA.instanceId(), false))
                .apply(3, new Event.InstanceCreated(standIn))
                .apply(4, new Event.InstanceCreated(another));
        ClusterState still = ClusterState.EMPTY.apply(0, new Event.InstanceCreated(onA));
        assertEquals(List.of(another), Losses.carried(before, still, List.of(standIn, another)));
        Instance replaced = Samples.instance("org/m", c);
        ClusterState theirs = still.apply(1, new Event.InstanceDeleted(replaced.instanceId(), false));
        assertEquals(
                List.of(another),
                Losses.carried(before, theirs, List.of(replaced, standIn, another)),
                "what the others have replaced stands in for nothing");
        assertEquals(
                List.of(standIn, another),
                Losses.carried(before, ClusterState.EMPTY, List.of(standIn, another)),
                "what it stands in for is gone");
    }

    @Test
    void whatWasDeletedDuringAPartitionDoesNotComeBack() {
        World world = new World(3);
        Node a = world.start("a");
        Node b = world.start("b");
        world.groupAll();
        world.settle();
        Instance onB = Samples.instance("org/b", b.id);
        a.report(new Event.InstanceCreated(onB));
        world.settle();
        a.report(new Event.InstanceDeleted(onB.instanceId(), false));
        // b does not hear of it before the cut
        world.group(List.of(a));
        world.group(List.of(b));
        world.settle();
        world.groupAll();
        world.settle();
        agree(world);
        assertTrue(a.replica.state().instances().isEmpty());
    }

    @Test
    void theLastEventsOfADeadCoordinatorSurviveWhereAnyMemberSawThem() {
        World world = new World(5);
        Node a = world.start("a");
        Node b = world.start("b");
        Node c = world.start("c");
        world.groupAll();
        world.settle();
        Instance onC = Samples.instance("org/c", c.id);
        a.report(new Event.InstanceCreated(onC));
        world.flights.removeIf(f -> f.to().equals(b.id)); // only c gets it before a dies
        world.settle();
        world.crash(a);
        world.group(List.of(b, c));
        world.settle();
        agree(world);
        assertTrue(b.replica.state().instances().containsKey(onC.instanceId()));
    }

    @Test
    void aReportThatTheOldCoordinatorNeverNumberedIsNumberedOnceByTheNext() {
        World world = new World(6);
        Node a = world.start("a");
        Node b = world.start("b");
        Node c = world.start("c");
        world.groupAll();
        world.settle();
        Instance onC = Samples.instance("org/c", c.id);
        c.report(new Event.InstanceCreated(onC));
        world.crash(a);
        world.group(List.of(b, c));
        world.settle();
        agree(world);
        assertEquals(Set.of(onC.instanceId()), b.replica.state().instances().keySet());
    }
}
