package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerStatus.RunnerReady;
import skulk.api.cluster.Sharding;
import skulk.api.cluster.Topology;
import skulk.kernel.cluster.Wishes.Kept;
import skulk.kernel.cluster.Wishes.Order;
import skulk.kernel.cluster.Wishes.Wish;
import skulk.kernel.rank.Samples;

class WishesTest {
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant SETTLED = BEGIN.plus(Wishes.SETTLED);
    private static final NodeId A = new NodeId("id-a");
    private static final NodeId B = new NodeId("id-b");
    private static final NodeId B_AGAIN = new NodeId("id-b2");
    private static final Reign REIGN = new Reign(100, 0, 100, A);

    private final Instance onB = Samples.instance("org/m", B);

    /** What one node sees; its state and its view change together. */
    private static final class Sight {
        final Wishes wishes;
        private final NodeId self;
        private ClusterView view = ClusterView.empty(A);
        private ClusterState state = ClusterState.EMPTY;
        private long epoch;

        Sight(Wishes wishes, NodeId self) {
            this.wishes = wishes;
            this.self = self;
        }

        Sight see(Instant now, List<NodeId> members, Event... events) {
            for (Event event : events) {
                state = state.apply(state.lastEventAppliedIdx() + 1, event);
            }
            ClusterView next = view(members);
            wishes.changed(view, next, state, now);
            view = next;
            return this;
        }

        private ClusterView view(List<NodeId> members) {
            epoch += view.members().equals(members) ? 0 : 1;
            Map<NodeId, NodeInfo> nodes = new HashMap<>();
            members.forEach(member -> nodes.put(member, named(member)));
            return new ClusterView(
                    self,
                    Optional.of(members.getFirst()),
                    epoch,
                    members,
                    state.instances(),
                    state.runners(),
                    Map.of(),
                    Map.of(),
                    nodes,
                    Topology.EMPTY,
                    Map.of(),
                    false,
                    0);
        }

        List<Order> due(Instant now) {
            return wishes.due(view, true, now);
        }

        Kept kept() {
            return wishes.kept(REIGN, state);
        }
    }

    private static NodeInfo named(NodeId node) {
        String name = node.value().replaceAll("id-|2", "");
        var identity = new NodeInfo.Identity("", "", name, "", "", "", "");
        return new NodeInfo(
                BEGIN,
                Optional.of(identity),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    private static Sight fresh() {
        return new Sight(new Wishes(Optional.empty(), BEGIN), A);
    }

    private Sight found(Kept kept, NodeId self) {
        return new Sight(new Wishes(Optional.of(kept), BEGIN), self);
    }

    private Kept kept(int tries) {
        Wish wish = new Wish(onB.instanceId(), Samples.card("org/m"), Sharding.PIPELINE, List.of("b"), Set.of(), tries);
        return new Kept(7, List.of(wish), List.of());
    }

    @Test
    void whatFittedNowhereElseIsPlacedOnceItsNodeIsBack() {
        Sight sight = fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB));
        sight.see(SETTLED, List.of(A), Event.InstanceDeleted.lost(onB.instanceId()));
        assertEquals(List.of(), sight.due(SETTLED));
        assertEquals(
                List.of(onB.instanceId()),
                sight.kept().wishes().stream().map(Wish::id).toList());
        Instant back = SETTLED.plusSeconds(10);
        sight.see(back, List.of(A, B_AGAIN));
        assertEquals(List.of(), sight.due(back), "it may tell first what runs on it");
        Instant settled = back.plus(Wishes.SETTLED);
        List<Order> due = sight.due(settled);
        assertEquals(Set.of(B_AGAIN), due.getFirst().nodes());
        assertEquals(List.of(), sight.due(settled.plusSeconds(1)), "once for each change of members");
    }

    @Test
    void whatHasASuccessorOrWasDeletedIsNotWaitedFor() {
        Instance successor = Samples.instance("org/m", A);
        Sight replaced = fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB));
        replaced.see(SETTLED, List.of(A), Event.InstanceDeleted.lost(onB.instanceId()));
        replaced.see(
                SETTLED,
                List.of(A),
                Event.InstanceDeleted.replaced(onB.instanceId(), successor.instanceId()),
                new Event.InstanceCreated(successor));
        assertEquals(
                List.of(successor.instanceId()),
                replaced.kept().wishes().stream().map(Wish::id).toList());

        Sight byHand = fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB));
        byHand.see(SETTLED, List.of(A), Event.InstanceDeleted.lost(onB.instanceId()));
        byHand.see(SETTLED, List.of(A), new Event.InstanceCreated(successor));
        assertEquals(
                List.of(successor.instanceId()),
                byHand.kept().wishes().stream().map(Wish::id).toList());

        Sight deleted = fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB));
        deleted.see(SETTLED, List.of(A, B), Event.InstanceDeleted.wanted(onB.instanceId()));
        assertEquals(List.of(), deleted.kept().wishes());
    }

    @Test
    void aSecondOneOfTheSameModelIsWaitedForWhereOnlyTheFirstHasASuccessor() {
        Instance other = Samples.instance("org/m", B);
        Instance successor = Samples.instance("org/m", A);
        Sight sight =
                fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB), new Event.InstanceCreated(other));
        sight.see(
                SETTLED,
                List.of(A),
                Event.InstanceDeleted.lost(onB.instanceId()),
                Event.InstanceDeleted.lost(other.instanceId()));
        sight.see(
                SETTLED,
                List.of(A),
                Event.InstanceDeleted.replaced(onB.instanceId(), successor.instanceId()),
                new Event.InstanceCreated(successor));
        assertEquals(
                Set.of(successor.instanceId(), other.instanceId()),
                Set.copyOf(sight.kept().wishes().stream().map(Wish::id).toList()));
    }

    @Test
    void afterARestartOfAllNodesTheFileIsPlacedAgainByWhoeverHasIt() {
        for (NodeId self : List.of(A, B_AGAIN)) {
            Sight sight = found(kept(0), self);
            sight.wishes.adopted(REIGN);
            sight.see(BEGIN, List.of(A, B_AGAIN));
            assertEquals(List.of(), sight.due(BEGIN));
            assertEquals(Set.of(B_AGAIN), sight.due(SETTLED).getFirst().nodes());
            assertTrue(sight.wishes.waits());
            Instance again = Samples.instance("org/m", B_AGAIN);
            sight.wishes.placed(
                    sight.wishes.kept(REIGN, ClusterState.EMPTY).wishes().getFirst(), again.instanceId());
            sight.see(
                    SETTLED,
                    List.of(A, B_AGAIN),
                    Event.InstanceDeleted.replaced(onB.instanceId(), again.instanceId()),
                    new Event.InstanceCreated(again));
            assertFalse(sight.wishes.waits());
            assertEquals(1, sight.kept().wishes().size());
            assertEquals(again.instanceId(), sight.kept().wishes().getFirst().id());
        }
    }

    @Test
    void aNodeThatStaysAwayIsNotWaitedForForever() {
        Sight sight = found(kept(0), A);
        sight.wishes.adopted(REIGN);
        sight.see(BEGIN, List.of(A));
        Instant late = BEGIN.plus(Wishes.PATIENCE).plusMillis(1);
        assertEquals(List.of(), sight.due(late.minus(Duration.ofSeconds(1))));
        assertEquals(List.of(), sight.wishes.due(sight.view, false, late), "the policy forbids other nodes");
        assertEquals(Set.of(), sight.due(late).getFirst().nodes());
    }

    @Test
    void aClusterThatHasLivedOnKnowsBetter() {
        Sight sight = found(kept(0), B_AGAIN);
        sight.wishes.adopted(new Reign(7, 3, 50, A));
        sight.see(BEGIN, List.of(A, B_AGAIN));
        assertEquals(List.of(), sight.due(SETTLED));
        assertFalse(sight.wishes.waits());
    }

    @Test
    void whatTakesItsMachineDownIsNotTriedForever() {
        Sight hopeless = found(kept(Wishes.TRIES), A);
        hopeless.wishes.adopted(REIGN);
        hopeless.see(BEGIN, List.of(A, B_AGAIN));
        assertEquals(List.of(), hopeless.due(SETTLED));

        Sight sight = found(kept(1), A);
        sight.see(BEGIN, List.of(A, B_AGAIN));
        Instance again = Samples.instance("org/m", B_AGAIN);
        var runner = again.shardAssignments().nodeToRunner().get(B_AGAIN);
        sight.wishes.placed(sight.kept().wishes().getFirst(), again.instanceId());
        sight.see(
                SETTLED,
                List.of(A, B_AGAIN),
                Event.InstanceDeleted.replaced(onB.instanceId(), again.instanceId()),
                new Event.InstanceCreated(again));
        assertEquals(2, sight.kept().wishes().getFirst().tries());
        sight.see(SETTLED, List.of(A, B_AGAIN), new Event.RunnerStatusUpdated(runner, new RunnerReady()));
        sight.see(SETTLED.plus(Wishes.PROVEN).plusMillis(1), List.of(A, B_AGAIN));
        assertEquals(0, sight.kept().wishes().getFirst().tries(), "it has served for a while");
    }

    @Test
    void whatWasDeletedBeforeTheRestartStaysDeletedWhoeverBringsAnOlderFile() {
        Kept kept = new Kept(7, List.of(), List.of(new ClusterState.Tombstone(onB.instanceId(), Optional.empty())));
        Sight sight = found(kept, A);
        assertEquals(List.of(), sight.wishes.unknown(ClusterState.EMPTY, BEGIN));
        assertEquals(kept.deleted(), sight.wishes.unknown(ClusterState.EMPTY, SETTLED));
        assertEquals(List.of(), sight.wishes.unknown(ClusterState.EMPTY, SETTLED), "once");
        ClusterState told = ClusterState.EMPTY.apply(0, Event.InstanceDeleted.wanted(onB.instanceId()));
        assertFalse(told.lost(onB.instanceId()));
    }

    @Test
    void whatOneLineOfNumbersHasNotWasNotLostWithANode() {
        Sight sight = fresh().see(BEGIN, List.of(A, B), new Event.InstanceCreated(onB));
        sight.see(SETTLED, List.of(A), Event.InstanceDeleted.lost(onB.instanceId()));
        sight.wishes.adopted(REIGN);
        assertEquals(List.of(), sight.kept().wishes());
    }

    @Test
    void theFileComesBackAsItWasAndABrokenOneIsNothing(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("new/placements.json");
        try (WishFile file = new WishFile(path)) {
            assertEquals(Optional.empty(), file.read());
            file.write(kept(2));
        }
        try (WishFile file = new WishFile(path)) {
            assertEquals(Optional.of(kept(2)), file.read());
            file.delete();
        }
        assertFalse(Files.exists(path));
        Files.writeString(path, "{\"originMillis\":");
        try (WishFile file = new WishFile(path)) {
            assertEquals(Optional.empty(), file.read());
        }
    }
}
