package skulk.membership.jgroups;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.text.MessageFormat;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.fake.FakeSettings;
import skulk.api.fake.FreePort;
import skulk.api.json.JsonObject;

/** Who may not join hears why in one line, and so does whoever looks at the log of a member. */
class RefusalsTest {
    @TempDir
    private Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final List<Membership.Member> seats = new CopyOnWriteArrayList<>();
    private final JGroupsLog wording = new JGroupsLog();
    private final List<Logger> loggers =
            List.of(Logger.getLogger("skulk.membership.jgroups"), Logger.getLogger("org.jgroups"));
    private final Handler ear = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            lines.add(
                    entry.getParameters() == null
                            ? entry.getMessage()
                            : MessageFormat.format(entry.getMessage(), entry.getParameters()));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        loggers.forEach(logger -> logger.addHandler(ear));
    }

    @AfterEach
    void leave() {
        seats.forEach(Membership.Member::close);
        loggers.forEach(logger -> logger.removeHandler(ear));
        wording.close();
    }

    private static NodeProfile profile(String name, String version) {
        return new NodeProfile(new NodeId("id-" + name + version), name, version, List.of(), 1, false);
    }

    private void join(NodeProfile profile, int port, JsonObject.Builder settings) throws IOException {
        Network network = Network.of(new FakeSettings(settings.put("port", port).build()));
        seats.add(new JGroupsMembership(network, directory).join(profile, new Membership.Listener() {
            @Override
            public void viewChanged(MembershipView view) {}

            @Override
            public void message(NodeId from, byte[] bytes) {}
        }));
    }

    /** @return what the joining node says */
    private String refused(NodeProfile profile, JsonObject.Builder member, JsonObject.Builder joining)
            throws IOException {
        int port = FreePort.find();
        join(profile("a", "0.1.0"), port, member);
        lines.clear();
        int other = FreePort.find();
        IOException refusal = assertThrows(
                IOException.class, () -> join(profile, other, joining.put("bootstrap_peers", "127.0.0.1:" + port)));
        assertEquals(1, refusal.getMessage().lines().count());
        return refusal.getMessage();
    }

    private void memberSaysOnce(String words) {
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(
                        () -> assertTrue(lines.stream().anyMatch(line -> line.contains(words)), lines::toString));
        assertTrue(lines.stream().allMatch(line -> line.lines().count() == 1), lines::toString);
    }

    @Test
    void aStrangerWithAnotherSecret() throws Exception {
        String heard = refused(
                profile("b", "0.1.0"),
                JsonObject.builder().put("secret", "right"),
                JsonObject.builder().put("secret", "wrong"));
        assertTrue(
                heard.endsWith(
                        "does not admit this one: the peer has another secret, or another namespace than 'v0.0.1'"),
                heard);
    }

    @Test
    void aStrangerWithoutASecret() throws Exception {
        String heard =
                refused(profile("b", "0.1.0"), JsonObject.builder().put("secret", "right"), JsonObject.builder());
        assertTrue(heard.contains("this node has no secret: set SKULK_CLUSTER_SECRET"), heard);
    }

    @Test
    void anIncompatibleVersion() throws Exception {
        String heard = refused(profile("b", "0.2.7"), JsonObject.builder(), JsonObject.builder());
        assertEquals("node 'b' runs Skulk 0.2.7, the cluster runs 0.1.0", heard);
        memberSaysOnce("Refused a node: node 'b' runs Skulk 0.2.7, the cluster runs 0.1.0");
    }

    @Test
    void aNameThatIsTaken() throws Exception {
        String heard = refused(profile("a", "0.1.1"), JsonObject.builder(), JsonObject.builder());
        assertEquals("a node named 'a' is already in the cluster; start with another --name", heard);
        memberSaysOnce("Refused a node: a node named 'a' is already in the cluster");
    }

    @Test
    void aPatchVersionIsAdmitted() throws Exception {
        int port = FreePort.find();
        join(profile("a", "0.1.0"), port, JsonObject.builder());
        join(profile("b", "0.1.9"), FreePort.find(), JsonObject.builder().put("bootstrap_peers", "127.0.0.1:" + port));
        assertTrue(lines.stream().noneMatch(line -> line.startsWith("Refused")), lines::toString);
    }
}
