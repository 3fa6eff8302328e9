package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.distribution.TestCluster.awaitAgreement;
import static skulk.distribution.TestCluster.awaitServing;
import static skulk.distribution.TestCluster.instances;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.distribution.TestCluster.Stream;

/** Nodes on machines of their own with cables between them, which are pulled, put back, and lose what goes one way. Encrypted, as beyond loopback always. */
class NetworkIT {
    private static final Duration SILENT = Duration.ofSeconds(8); // five are promised, of a machine that has time

    private static final Duration LOSS = Duration.ofSeconds(4); // a connection is made anew after three

    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    private Path temp;

    @Test
    void aPartitionHealsIntoOneTruth() throws Exception {
        try (Namespaces machines = Namespaces.make(3);
                TestCluster cluster = new TestCluster(temp, Optional.of(machines))) {
            SkulkProcess a = cluster.start("a");
            SkulkProcess b = cluster.start("b");
            SkulkProcess c = cluster.start("c", "--set", "requests.resume=false");
            awaitAgreement(cluster.alive());
            cluster.place(List.of(b), "Pipeline");
            cluster.place(List.of(c), "Pipeline");
            Set<String> placed = instances(a);
            assertEquals(2, placed.size());

            machines.cut(2); // c and its ranks go on alone; this process cannot reach c either
            await().atMost(SILENT).until(() -> TestCluster.members(a).size() == 2);
            awaitServing(List.of(a, b));
            machines.heal(2);
            awaitAgreement(cluster.alive());
            awaitServing(cluster.alive());
            oneTruth(cluster);
            oneWay(machines, cluster, List.of(a, b, c));
        }
    }

    /** What c says is lost, what it hears is not: it is out of the view like a silent node, and the others do not lose each other. */
    private static void oneWay(Namespaces machines, TestCluster cluster, List<SkulkProcess> nodes) throws Exception {
        SkulkProcess a = nodes.get(0);
        SkulkProcess b = nodes.get(1);
        SkulkProcess c = nodes.get(2);
        Stream stream = new Stream(c, TestCluster.question(1900, true)).awaitStart();
        long lost = System.nanoTime();
        machines.lose(2, 1); // c hears b, b does not hear c
        machines.lose(2, 0);
        await().atMost(SILENT).until(() -> TestCluster.members(a).size() == 2);
        Duration noticed = Duration.ofNanos(System.nanoTime() - lost);
        assertTrue(noticed.compareTo(SILENT) < 0, "after " + noticed);
        stream.awaitEnd(TestCluster.PATIENCE); // with the text or with an error, but it ends
        assertTrue(TestCluster.members(b).contains(TestCluster.id(a)), "the others go on together");
        machines.find(2, 1);
        machines.find(2, 0);
        awaitAgreement(cluster.alive());
        awaitServing(cluster.alive());
        oneTruth(cluster);
    }

    /** All see the same two placements: nothing lost, nothing doubled. */
    private static void oneTruth(TestCluster cluster) {
        await().atMost(TestCluster.PATIENCE).untilAsserted(() -> {
            Set<String> seen = instances(cluster.alive().getFirst());
            for (SkulkProcess node : cluster.alive()) {
                assertEquals(seen, instances(node));
            }
            assertEquals(2, seen.size());
        });
    }

    /** Lost for so long that connections were made anew, not so long that anybody was given up; and nothing is said afterwards. */
    @Test
    void whatWasSaidLastWhileALinkLostItArrivesOnceItDoesNot() throws Exception {
        try (Namespaces machines = Namespaces.make(3);
                TestCluster cluster = new TestCluster(temp, Optional.of(machines))) {
            for (String name : NAMES) {
                cluster.start(name);
            }
            awaitAgreement(cluster.alive());
            String master = TestCluster.master(cluster.node("a"));
            int speaker = 0;
            while (!TestCluster.id(cluster.node(NAMES.get(speaker))).equals(master)) {
                speaker++;
            }
            int deaf = (speaker + 1) % NAMES.size();
            SkulkProcess listener = cluster.node(NAMES.get(deaf));
            machines.lose(speaker, deaf);
            cluster.node(NAMES.get(speaker)).put("/v1/tracing", "{\"enabled\":true}");
            await().during(LOSS).atMost(LOSS.plusSeconds(1)).until(() -> !traces(listener));
            machines.find(speaker, deaf);
            await().atMost(SILENT).until(() -> traces(listener));
        }
    }

    private static boolean traces(SkulkProcess node) throws Exception {
        return node.json("/state").bool("tracingEnabled").orElseThrow();
    }

    @Test
    void nodesFindEachOtherByMulticast() throws Exception {
        try (Namespaces machines = Namespaces.make(3);
                TestCluster cluster = new TestCluster(temp, Optional.of(machines)).transport("multicast", "true")) {
            for (String name : List.of("a", "b", "c")) {
                cluster.start(name, "", List.of());
            }
            awaitAgreement(cluster.alive());
            assertEquals(3, TestCluster.members(cluster.node("a")).size());
        }
    }

    @Test
    void nodesFindEachOtherByAName() throws Exception {
        try (Namespaces machines = Namespaces.make(3);
                NameServer names = new NameServer(
                        machines.host(), List.of(machines.address(0), machines.address(1), machines.address(2)));
                TestCluster cluster = new TestCluster(temp, Optional.of(machines))
                        .transport("dns", "skulk.internal")
                        .transport("port", "52416")) {
            for (int i = 0; i < 3; i++) {
                machines.resolver(i, names.address());
                cluster.start(List.of("a", "b", "c").get(i), "", List.of());
            }
            awaitAgreement(cluster.alive());
            assertEquals(3, TestCluster.members(cluster.node("a")).size());
        }
    }

    @Test
    void withSeveralCardsTheLogSaysWhichWasChosenAndTheDoctorFindsTheWay() throws Exception {
        try (Namespaces machines = Namespaces.make(2);
                TestCluster cluster = new TestCluster(temp, Optional.of(machines))) {
            machines.addCard(0, "aside0", "192.168.77.5");
            SkulkProcess a = cluster.start("a");
            assertTrue(a.log().contains("on " + machines.address(0)), a::log);
            List<String> ask = List.of(
                    "doctor",
                    "net",
                    "--home",
                    temp.resolve("b").toString(),
                    "--name",
                    "b",
                    "--set",
                    "cluster.namespace=" + cluster.namespace(),
                    "--bootstrap-peers",
                    cluster.peer("a"));
            contains(
                    doctor(machines, Namespaces.secret(), ask, 0),
                    "ok   address     " + machines.address(1),
                    "ok   join");
            contains(doctor(machines, Map.of(), ask, 1), "BAD  encryption", "SKULK_CLUSTER_SECRET");
            machines.cut(0);
            contains(doctor(machines, Namespaces.secret(), ask, 1), "BAD  reach", "machine is off");
        }
    }

    private String doctor(Namespaces machines, Map<String, String> environment, List<String> ask, int code)
            throws Exception {
        SkulkProcess.Machine where = new SkulkProcess.Machine(machines.on(1), environment, machines.address(1));
        try (SkulkProcess doctor = SkulkProcess.start(where, temp, environment, ask)) {
            assertEquals(code, doctor.exitCode(TestCluster.PATIENCE), doctor::log);
            return doctor.log();
        }
    }

    private static void contains(String text, String... parts) {
        for (String part : parts) {
            assertTrue(text.contains(part), text);
        }
    }
}
