package skulk.membership.jgroups;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeSettings;
import skulk.api.fake.FreePort;
import skulk.api.json.JsonObject;

/** Several seats in one JVM, on loopback ports of their own. */
class JGroupsMembershipTest {
    @TempDir
    Path directory;

    private final List<Joined> joined = new ArrayList<>();

    private record Joined(NodeProfile profile, Membership.Member member, Ears ears) {
        List<String> names() {
            return ears.views.getLast().members().stream()
                    .map(NodeProfile::friendlyName)
                    .toList();
        }
    }

    private static final class Ears implements Membership.Listener {
        final List<MembershipView> views = new CopyOnWriteArrayList<>();
        final List<String> messages = new CopyOnWriteArrayList<>();

        @Override
        public void viewChanged(MembershipView view) {
            views.add(view);
        }

        @Override
        public void message(NodeId from, byte[] bytes) {
            messages.add(from + ":" + new String(bytes, StandardCharsets.UTF_8));
        }
    }

    @AfterEach
    void leave() {
        joined.forEach(j -> j.member().close());
    }

    private static NodeProfile profile(String name, boolean preferred) {
        return new NodeProfile(new NodeId("id-" + name), name, "0.1.0", List.of("127.0.0.1"), 1234, preferred);
    }

    private Joined join(NodeProfile profile, int port, JsonObject.Builder settings) throws IOException {
        Network network = Network.of(new FakeSettings(settings.put("port", port).build()));
        Ears ears = new Ears();
        Joined seat = new Joined(profile, new JGroupsMembership(network, directory).join(profile, ears), ears);
        joined.add(seat);
        return seat;
    }

    private static JsonObject.Builder peers(int port) {
        return JsonObject.builder().put("bootstrap_peers", "127.0.0.1:" + port);
    }

    @Test
    void offersItsMembershipTwice() throws Exception {
        for (int i = 0; i < 2; i++) {
            JGroupsPlugin plugin = new JGroupsPlugin();
            assertEquals(
                    "jgroups", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void eldestCoordinatesAndTheNextOneFollowsWhenItLeaves() throws Exception {
        int port = FreePort.find();
        Joined a = join(profile("a", false), port, JsonObject.builder());
        Joined b = join(profile("b", false), 0, peers(port)); // any free one
        Joined c = join(profile("c", false), FreePort.find(), peers(port));
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            for (Joined node : joined) {
                assertEquals(List.of("a", "b", "c"), node.names());
            }
        });
        assertEquals(new NodeId("id-a"), c.ears().views.getLast().coordinator());
        long epoch = c.ears().views.getLast().epoch();
        a.member().close();
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertEquals(List.of("b", "c"), c.names()));
        assertTrue(c.ears().views.getLast().epoch() > epoch);
        assertEquals(new NodeId("id-b"), b.ears().views.getLast().coordinator());
    }

    @Test
    void messagesArriveInOrderPerSenderAndCarryTheSender() throws Exception {
        int port = FreePort.find();
        Joined a = join(profile("a", false), port, JsonObject.builder());
        Joined b = join(profile("b", false), FreePort.find(), peers(port));
        await().until(() -> a.names().size() == 2);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            byte[] bytes = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
            if (i % 2 == 0) {
                a.member().broadcast(bytes);
            } else {
                a.member().send(new NodeId("id-b"), bytes);
            }
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> b.ears().messages.size() == 500);
        List<String> broadcasts = b.ears().messages.stream()
                .filter(m -> Integer.parseInt(m.substring(m.indexOf(':') + 1)) % 2 == 0)
                .toList();
        for (int i = 0; i < 500; i += 2) {
            expected.add("id-a:" + i);
        }
        assertEquals(expected, broadcasts);
        assertTrue(a.ears().messages.isEmpty(), "a sender does not hear itself");
    }

    @Test
    void aPreferredCoordinatorGoesFirst() throws Exception {
        int port = FreePort.find();
        Joined a = join(profile("a", false), port, JsonObject.builder());
        Joined b = join(profile("b", true), FreePort.find(), peers(port));
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertEquals(List.of("b", "a"), a.names()));
        assertEquals(List.of("b", "a"), b.names());
    }

    @Test
    void membersWithTheSecretMeet() throws Exception {
        int port = FreePort.find();
        Joined a = join(profile("a", false), port, JsonObject.builder().put("secret", "right"));
        Joined b = join(profile("b", false), FreePort.find(), peers(port).put("secret", "right"));
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertEquals(List.of("a", "b"), a.names()));
        assertEquals(List.of("a", "b"), b.names());
        assertTrue(a.member().tls().isPresent(), "what plugins' own connections are secured with");
    }

    @Test
    void namespacesAreClustersOfTheirOwn() throws Exception {
        int port = FreePort.find();
        join(profile("a", false), port, JsonObject.builder().put("namespace", "one"));
        int other = FreePort.find();
        IOException refusal = assertThrows(
                IOException.class,
                () -> join(profile("b", false), other, peers(port).put("namespace", "two")));
        assertTrue(refusal.getMessage().contains("namespace"), refusal.getMessage());
    }
}
