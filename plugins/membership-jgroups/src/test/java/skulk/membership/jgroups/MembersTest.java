package skulk.membership.jgroups;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jgroups.JChannel;
import org.jgroups.util.Util;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.fake.FakeSettings;
import skulk.api.fake.FreePort;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Seats of one JVM that come, leave and die in any order, over real connections. */
class MembersTest {
    private static final int CHANGES = 20;
    private static final int ROUNDS = Integer.getInteger("members.rounds", 10);
    /** Five are promised for three nodes, with the start of their processes. */
    private static final Duration FORMED = Duration.ofSeconds(5);
    /** The runbook's promise; a closed connection is noticed in less than one second. */
    private static final Duration NEW_MASTER = Duration.ofSeconds(3);

    private final List<Node> alive = new ArrayList<>();
    private int started;

    private record Node(NodeProfile profile, JChannel channel, Seat seat, int port, List<MembershipView> views) {
        List<String> names() {
            return views.getLast().members().stream()
                    .map(NodeProfile::friendlyName)
                    .toList();
        }

        String name() {
            return profile.friendlyName();
        }
    }

    @AfterEach
    void leave() {
        alive.forEach(node -> node.seat().close());
    }

    private Node start() throws Exception {
        String name = "n" + started++;
        NodeProfile profile = new NodeProfile(new NodeId("id-" + name), name, "0.1.0", List.of("127.0.0.1"), 1, false);
        int port = FreePort.find();
        JsonArray peers =
                JsonArray.of(alive.stream().map(n -> "127.0.0.1:" + n.port()).toArray());
        Network network = Network.of(new FakeSettings(JsonObject.builder()
                .put("port", port)
                .put("bootstrap_peers", peers)
                .build()));
        List<MembershipView> views = new CopyOnWriteArrayList<>();
        Seat seat = new Seat(
                profile,
                new Membership.Listener() {
                    @Override
                    public void viewChanged(MembershipView view) {
                        views.add(view);
                    }

                    @Override
                    public void message(NodeId from, byte[] bytes) {}
                },
                Optional.empty());
        JChannel channel = new JChannel(Stack.protocols(network, InetAddress.getLoopbackAddress(), Optional.empty()));
        seat.open(channel, "members");
        Node node = new Node(profile, channel, seat, port, views);
        alive.add(node);
        return node;
    }

    /** All see exactly those who are there, eldest first. */
    private Duration agree() {
        long begin = System.nanoTime();
        List<String> expected = alive.stream().map(Node::name).toList();
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> alive.stream().allMatch(node -> node.names().equals(expected)));
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    @Test
    void threeNodesAreOneClusterWithinSeconds() throws Exception {
        long begin = System.nanoTime();
        for (int i = 0; i < 3; i++) {
            start();
        }
        agree();
        Duration formed = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(formed.compareTo(FORMED) < 0, "it took " + formed);
    }

    @Test
    void comingLeavingAndDyingInAnyOrderTheEldestIsMaster() throws Exception {
        Random random = new Random(20);
        start();
        List<Duration> successions = new ArrayList<>();
        for (int change = 0; change < CHANGES; change++) {
            int what = alive.size() < 2 ? 0 : alive.size() > 4 ? 1 + random.nextInt(3) : random.nextInt(4);
            switch (what) {
                case 0 -> {
                    start();
                    agree();
                }
                case 1 -> {
                    alive.remove(random.nextInt(alive.size())).seat().close();
                    agree();
                }
                case 2 -> {
                    die(alive.getFirst());
                    successions.add(agree());
                }
                default -> {
                    die(alive.get(random.nextInt(alive.size())));
                    agree();
                }
            }
            for (Node node : alive) {
                assertEquals(
                        alive.getFirst().profile().id(), node.views().getLast().coordinator());
                for (int i = 1; i < node.views().size(); i++) {
                    assertTrue(
                            node.views().get(i).epoch()
                                    > node.views().get(i - 1).epoch(),
                            "epochs rise");
                }
            }
        }
        assertTrue(successions.size() >= 4, successions::toString);
        System.getLogger(MembersTest.class.getName())
                .log(System.Logger.Level.INFO, "from the master''s death to the next one: {0}", successions);
        assertTrue(successions.stream().allMatch(time -> time.compareTo(NEW_MASTER) < 0), successions::toString);
    }

    /** {@code -Dmembers.rounds=1000} for what happens seldom. */
    @Test
    void theMasterDiesWhileSomebodyJoins() throws Exception {
        start();
        start();
        agree();
        for (int round = 0; round < ROUNDS; round++) {
            start();
            die(alive.getFirst());
            Duration succession = agree();
            assertTrue(succession.compareTo(NEW_MASTER) < 0, "round " + round + ": " + succession);
        }
    }

    /** Without a word, as a killed process. */
    private void die(Node node) throws Exception {
        alive.remove(node);
        Util.shutdown(node.channel());
    }
}
