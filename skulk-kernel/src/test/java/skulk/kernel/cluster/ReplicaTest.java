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
        ClusterState before = ClusterState.EMPTY;

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
                                node.report(Event.InstanceDeleted.wanted(id));
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
                .apply(1, Event.InstanceDeleted.lost(onA.instanceId()))
                .apply(2, Event.InstanceDeleted.replaced(onA.instanceId(), standIn.instanceId()))
                .apply(3, new Event.InstanceCreated(standIn))
                .apply(4, new Event.InstanceCreated(another));
        List<Instance> running = List.of(standIn, another);
        ClusterState still = ClusterState.EMPTY.apply(0, new Event.InstanceCreated(onA));
        Event anotherToo = new Event.InstanceCreated(another);
        assertEquals(List.of(anotherToo), Losses.carried(before, still, running), "what it stands in for is there");
        ClusterState deleted = still.apply(1, Event.InstanceDeleted.wanted(onA.instanceId()));
        assertEquals(List.of(anotherToo), Losses.carried(before, deleted, running), "somebody has deleted that");
        Instance theirs = Samples.instance("org/m", a);
        ClusterState replaced = still.apply(1, Event.InstanceDeleted.replaced(onA.instanceId(), theirs.instanceId()))
                .apply(2, new Event.InstanceCreated(theirs));
        assertEquals(List.of(anotherToo), Losses.carried(before, replaced, running), "others have replaced it as well");
        ClusterState lost = replaced.apply(3, Event.InstanceDeleted.lost(theirs.instanceId()));
        List<Event> all = List.of(
                Event.InstanceDeleted.replaced(onA.instanceId(), standIn.instanceId()),
                new Event.InstanceCreated(standIn),
                anotherToo);
        assertEquals(all, Losses.carried(before, lost, running), "what the others had is lost");
        assertEquals(all, Losses.carried(before, ClusterState.EMPTY, running), "nobody else has it");

        ClusterState twice = ClusterState.EMPTY
                .apply(0, Event.InstanceDeleted.replaced(onA.instanceId(), theirs.instanceId()))
                .apply(1, new Event.InstanceCreated(theirs))
                .apply(2, Event.InstanceDeleted.replaced(onA.instanceId(), standIn.instanceId()))
                .apply(3, new Event.InstanceCreated(standIn));
        assertEquals(Set.of(theirs.instanceId()), twice.instances().keySet(), "of two in one's stead the first stays");
    }

    /** Partitions into any parts, deaths and returns, each side placing again what it has lost: in the end every model is placed exactly once. */
    @ParameterizedTest
    @ValueSource(
            longs = {
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                29, 30
            })
    void nothingIsLostOrDoubledByAnyPartitionsAndDeaths(long seed) {
        World world = new World(seed);
        Random random = world.random;
        for (int i = 0; i < 4; i++) {
            world.start("n" + i);
        }
        settleAndReplace(world, List.of(world.alive()));
        Set<String> models = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            Node node = world.alive().get(i % 4);
            models.add("org/m" + i);
            node.report(new Event.InstanceCreated(Samples.instance("org/m" + i, node.id)));
        }
        settleAndReplace(world, List.of(world.alive()));
        for (int phase = 0; phase < 12; phase++) {
            List<Node> alive = world.alive();
            switch (random.nextInt(4)) {
                case 0 -> settleAndReplace(world, List.of(alive)); // heals
                case 1 -> {
                    if (alive.size() > 2) {
                        settleAndReplace(world, List.of(alive)); // of two parts the only node of one may not die
                        world.crash(alive.get(random.nextInt(alive.size())));
                        settleAndReplace(world, List.of(world.alive()));
                    }
                }
                case 2 -> {
                    if (alive.size() < 5) {
                        world.start("p" + world.nodes.size());
                        settleAndReplace(world, List.of(world.alive()));
                    }
                }
                default -> settleAndReplace(world, parts(alive, random));
            }
        }
        settleAndReplace(world, List.of(world.alive()));
        agree(world);
        List<String> placed = world.alive().getFirst().replica.state().instances().values().stream()
                .map(i -> i.modelId().value())
                .sorted()
                .toList();
        assertEquals(models.stream().sorted().toList(), placed);
        Set<InstanceId> running = new HashSet<>();
        world.alive().forEach(n -> running.addAll(n.running));
        assertTrue(
                running.containsAll(
                        world.alive().getFirst().replica.state().instances().keySet()),
                "what is placed runs");
    }

    /** Up to three parts, each eldest first. */
    private static List<List<Node>> parts(List<Node> nodes, Random random) {
        List<List<Node>> parts = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        nodes.forEach(node -> parts.get(random.nextInt(parts.size())).add(node));
        return parts.stream().filter(part -> !part.isEmpty()).toList();
    }

    /** Each part becomes one cluster, its coordinator places again what is gone, twice: what comes of that may be news to others. */
    private static void settleAndReplace(World world, List<List<Node>> parts) {
        parts.forEach(world::group);
        for (int i = 0; i < 2; i++) {
            world.settle();
            world.alive().forEach(Node::replaceLost);
        }
        world.settle();
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
        a.report(Event.InstanceDeleted.wanted(onB.instanceId()));
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
