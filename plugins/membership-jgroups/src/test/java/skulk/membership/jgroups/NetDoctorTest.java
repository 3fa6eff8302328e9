package skulk.membership.jgroups;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.fake.FakeSettings;
import skulk.api.fake.FreePort;
import skulk.api.json.JsonObject;

/** Each step of joining that can fail is named with its reason. */
class NetDoctorTest {
    @TempDir
    Path directory;

    private final List<Membership.Member> members = new ArrayList<>();

    @AfterEach
    void leave() {
        members.forEach(Membership.Member::close);
    }

    private void member(int port, String secret) throws Exception {
        Network network = Network.of(new FakeSettings(
                JsonObject.builder().put("port", port).put("secret", secret).build()));
        members.add(new JGroupsMembership(network, directory)
                .join(
                        new NodeProfile(new NodeId("m"), "member", "0.1.0", List.of(), 1, false),
                        new Membership.Listener() {
                            @Override
                            public void viewChanged(MembershipView view) {}

                            @Override
                            public void message(NodeId from, byte[] bytes) {}
                        }));
    }

    private JsonObject asked(int peer, String secret) {
        return JsonObject.builder()
                .put("port", 0)
                .put("bootstrap_peers", "127.0.0.1:" + peer)
                .put("secret", secret)
                .put("namespace", "v0.0.1")
                .put("name", "newcomer")
                .put("version", "0.1.0")
                .put("directory", directory.toString())
                .build();
    }

    /** @return the first line that names trouble, or the last one */
    private static String diagnose(JsonObject asked, int code) {
        StringWriter out = new StringWriter();
        int answered = new NetDoctor().run(new PrintWriter(out), new PrintWriter(out), asked.toString());
        assertEquals(code, answered, out::toString);
        return out.toString()
                .lines()
                .filter(l -> l.startsWith("BAD"))
                .findFirst()
                .orElseGet(() -> out.toString().lines().toList().getLast());
    }

    private static void contains(String line, String... parts) {
        for (String part : parts) {
            assertTrue(line.contains(part), line);
        }
    }

    @Test
    void theStepThatFailsIsNamed() throws Exception {
        int port = FreePort.find();
        contains(diagnose(asked(port, ""), 1), "reach", "nothing listens");
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            contains(diagnose(asked(port, "").with("port", taken.getLocalPort()), 1), "port", "--cluster-port");
        }
        contains(diagnose(asked(port, "").with("bootstrap_peers", ""), 0), "no peers are named");
        contains(diagnose(asked(port, "").with("bootstrap_peers", "no.such.name.invalid:1"), 1), "reach", "unknown");
        member(port, "");
        contains(diagnose(asked(port, ""), 0), "join", "member (0.1.0)");
        contains(diagnose(asked(port, "a secret"), 1), "encryption", "the peer has none");
        contains(diagnose(asked(port, "").with("name", "member"), 1), "join", "already in the cluster");
        contains(diagnose(asked(port, "").with("version", "0.2.0"), 1), "join", "0.2.0", "0.1.0");
    }

    @Test
    void secretsAndNamespacesAreToldApartFromTheRest() throws Exception {
        int port = FreePort.find();
        member(port, "right");
        contains(diagnose(asked(port, "right"), 0), "join", "member (0.1.0)");
        contains(diagnose(asked(port, "wrong"), 1), "encryption", "another secret");
        contains(diagnose(asked(port, ""), 1), "encryption", "SKULK_CLUSTER_SECRET");
        contains(diagnose(asked(port, "right").with("namespace", "other"), 1), "encryption", "'other'");
    }
}
