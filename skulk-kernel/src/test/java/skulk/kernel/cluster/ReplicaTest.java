package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.kernel.cluster.ReplicaWorld.Node;
import skulk.kernel.rank.Samples;

/** Whole clusters of replicas in a {@link ReplicaWorld}. */
class ReplicaTest {

    private static void agree(ReplicaWorld world) {
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
        ReplicaWorld world = new ReplicaWorld(seed);
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
                        String name = "n" + world.nodes.size();
                        switch (random.nextInt(3)) {
                            case 0 -> world.start(name);
                            case 1 -> world.join(name);
                            default -> world.joinAtTheHead(name);
                        }
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
            ReplicaWorld world = new ReplicaWorld(7);
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
        ReplicaWorld world = new ReplicaWorld(seed);
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
    private static void settleAndReplace(ReplicaWorld world, List<List<Node>> parts) {
        parts.forEach(world::group);
        for (int i = 0; i < 2; i++) {
            world.settle();
            world.alive().forEach(Node::replaceLost);
        }
        world.settle();
    }

    @Test
    void whatWasDeletedDuringAPartitionDoesNotComeBack() {
        ReplicaWorld world = new ReplicaWorld(3);
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
        ReplicaWorld world = new ReplicaWorld(5);
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
        ReplicaWorld world = new ReplicaWorld(6);
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

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void whoeverJoinsAtTheHeadTakesOverWhatIsAgreedAndLosesNoReport(long seed) {
        ReplicaWorld world = new ReplicaWorld(seed);
        Node a = world.start("a");
        Node b = world.start("b");
        world.groupAll();
        world.settle();
        Instance first = Samples.instance("org/b", b.id);
        a.report(new Event.InstanceCreated(first), new Event.TracingStateChanged(true));
        world.settle();

        Node head = world.joinAtTheHead("head");
        world.join("fresh");
        Instance reported = Samples.instance("org/a", a.id);
        a.report(new Event.InstanceCreated(reported));
        world.groupAll();
        assertFalse(head.replica.informed());
        Set<InstanceId> expected = new HashSet<>(Set.of(first.instanceId(), reported.instanceId()));
        for (Node node : world.alive()) {
            Instance early = Samples.instance("org/" + node.id, node.id);
            node.report(new Event.InstanceCreated(early));
            expected.add(early.instanceId());
            for (int i = world.random.nextInt(6); i > 0; i--) {
                world.step();
            }
        }
        world.settle();
        agree(world);
        assertTrue(head.replica.informed() && head.replica.coordinates());
        assertTrue(head.replica.state().tracingEnabled());
        assertEquals(expected, head.replica.state().instances().keySet());
    }

    @Test
    void whereNothingIsAgreedAJoinerAtTheHeadBegins() {
        for (boolean othersGo : List.of(false, true)) {
            ReplicaWorld world = new ReplicaWorld(1);
            Node a = world.start("a");
            Node head = world.joinAtTheHead("head");
            world.groupAll();
            head.report(new Event.TracingStateChanged(true));
            assertFalse(head.replica.informed() || head.replica.state().tracingEnabled());
            if (othersGo) {
                world.crash(a);
                world.groupAll();
            }
            world.settle();
            agree(world);
            assertTrue(head.replica.informed() && head.replica.state().tracingEnabled());
        }
    }
}
