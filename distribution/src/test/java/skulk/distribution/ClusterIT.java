package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.distribution.TestCluster.awaitAgreement;
import static skulk.distribution.TestCluster.awaitServing;
import static skulk.distribution.TestCluster.instances;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.distribution.TestCluster.Stream;

/** Several nodes on loopback: they form, lose members in every way, and serve on. The bounds are the promises, widened for a machine under load. */
class ClusterIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String[] NO_RESUME = {"--set", "requests.resume=false"};
    private static final Duration PATIENCE = TestCluster.PATIENCE;
    /** Promised from when the processes are up. */
    private static final Duration FORMED = Duration.ofSeconds(5);
    /** The runbook's; one is aimed at. */
    private static final Duration NEW_MASTER = Duration.ofSeconds(3);

    private static final Duration KILLED = Duration.ofSeconds(5);
    private static final Duration SILENT = Duration.ofSeconds(12);

    @TempDir
    private Path temp;

    @Test
    void servesOnWhileItsMembersDie() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess master = cluster.start("a", NO_RESUME);
            SkulkProcess worker = cluster.start("b", NO_RESUME);
            SkulkProcess third = cluster.start("c", NO_RESUME);
            long began = System.nanoTime();
            awaitAgreement(cluster.alive());
            Duration formed = Duration.ofNanos(System.nanoTime() - began);
            assertTrue(formed.compareTo(FORMED) < 0, "three nodes were one cluster after " + formed);

            cluster.place(List.of(worker), "Pipeline");
            String instance = instances(third).iterator().next();
            List<Long> ranks = TestCluster.ranks(worker);
            for (SkulkProcess node : cluster.alive()) {
                assertEquals(200, node.post(CHAT, question(5)).statusCode());
            }

            Stream unaffected = new Stream(third, TestCluster.question(1900, true)).awaitStart();
            master.kill();
            long dead = System.nanoTime();
            await().pollInterval(Duration.ofMillis(20))
                    .until(() -> TestCluster.master(worker).equals(TestCluster.id(worker))
                            && TestCluster.master(third).equals(TestCluster.id(worker)));
            Duration succeeded = Duration.ofNanos(System.nanoTime() - dead);
            assertTrue(succeeded.compareTo(NEW_MASTER) < 0, "a new master after " + succeeded);
            awaitAgreement(List.of(worker, third));
            assertEquals(Set.of(instance), instances(third), "adopted, not placed anew");
            assertEquals(ranks, TestCluster.ranks(worker), "ranks that run are not restarted");
            unaffected.awaitEnd(PATIENCE);
            assertEquals(Optional.empty(), unaffected.error());
            assertTrue(unaffected.text().contains("length"), unaffected::text);
            assertTrue(unaffected.longestPause().compareTo(Duration.ofSeconds(1)) < 0, "it noticed the master's death");

            Stream affected = new Stream(third, TestCluster.question(1900, true)).awaitStart();
            worker.kill();
            affected.awaitEnd(KILLED);
            String error = affected.error().orElse("none");
            assertTrue(error.contains("The instance executing this request was lost"), error);
            awaitServing(List.of(third));
            assertNotEquals(Set.of(instance), instances(third), "placed again on what is left");

            SkulkProcess again = cluster.start("a");
            assertEquals(200, again.post(CHAT, question(5)).statusCode(), "it knows from the start what is served");
            awaitAgreement(List.of(third, again));

            for (SkulkProcess asked : List.of(third, again)) { // another node, and the one itself
                String before = TestCluster.id(again);
                assertEquals(
                        200, asked.post("/admin/restart?node_id=" + before, "").statusCode());
                await().atMost(PATIENCE)
                        .ignoreExceptions()
                        .until(() -> TestCluster.members(third).size() == 2
                                && !TestCluster.members(third).contains(before)
                                && !TestCluster.id(again).equals(before));
                assertTrue(
                        ProcessHandle.of(again.pid()).orElseThrow().isAlive(), "replaced in place: the same process");
                assertEquals(200, again.post(CHAT, question(5)).statusCode());
            }
        }
    }

    @Test
    void whatWasExcludedIsTakenLast() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess entry = cluster.start("entry", "--no-worker");
            SkulkProcess excluded = cluster.start("excluded");
            List<SkulkProcess> wanted = new ArrayList<>(List.of(cluster.start("b"), cluster.start("c")));
            awaitAgreement(cluster.alive());
            JsonObject wish = JsonObject.of("model_id", TestCluster.MODEL)
                    .with("excluded_nodes", JsonArray.of(TestCluster.id(excluded)));
            assertEquals(200, entry.post("/place_instance", wish.toString()).statusCode());
            awaitServing(List.of(entry));
            for (int left = 2; left > 0; left--) {
                SkulkProcess serving = serving(wanted);
                assertEquals(Set.of(), TestCluster.instancesOn(excluded), "another node had room");
                serving.kill();
                wanted.remove(serving);
                awaitAgreement(cluster.alive());
                awaitServing(List.of(entry));
            }
            assertEquals(TestCluster.instances(entry), TestCluster.instancesOn(excluded), "no other node was left");
        }
    }

    private static SkulkProcess serving(List<SkulkProcess> nodes) throws Exception {
        for (SkulkProcess node : nodes) {
            if (!TestCluster.instancesOn(node).isEmpty()) {
                return node;
            }
        }
        throw new AssertionError("none of the nodes serves");
    }

    @Test
    void splitsAModelOverTwoNodesAndHealsAPartition() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess one = cluster.start("one");
            SkulkProcess two = cluster.start("two");
            List<SkulkProcess> nodes = List.of(one, two);
            awaitAgreement(nodes);
            for (String sharding : List.of("Pipeline", "Tensor")) {
                cluster.place(nodes, sharding);
                assertEquals(
                        2,
                        one.json("/state")
                                .object("runners")
                                .orElseThrow()
                                .members()
                                .size());
                for (SkulkProcess node : nodes) {
                    assertEquals(200, node.post(CHAT, question(8)).statusCode());
                }
                if (sharding.equals("Pipeline")) {
                    one.delete("/instance/" + instances(one).iterator().next());
                    await().atMost(PATIENCE)
                            .until(() -> two.json("/state")
                                    .object("runners")
                                    .orElseThrow()
                                    .members()
                                    .isEmpty());
                }
            }
            TestCluster.signal(two.pid(), "STOP");
            await().atMost(SILENT).until(() -> TestCluster.members(one).size() == 1);
            TestCluster.signal(two.pid(), "CONT");
            awaitAgreement(nodes);
            awaitServing(nodes);
            assertEquals(instances(one), instances(two));
            assertEquals(1, instances(one).size(), "nothing lost, nothing doubled");
        }
    }

    /** Three nodes, as a third one may be behind the coordinator when a fourth takes over. */
    @Test
    void aPreferredCoordinatorTakesOverWhatIsAgreed() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess eldest = cluster.start("a");
            cluster.start("b");
            cluster.place(List.of(eldest), "Pipeline");
            assertEquals(200, eldest.put("/v1/tracing", "{\"enabled\":true}").statusCode());
            Set<String> placed = instances(eldest);
            List<Long> ranks = TestCluster.ranks(eldest);

            SkulkProcess preferred = cluster.start("c", "--force-master");
            assertEquals(200, preferred.post(CHAT, question(5)).statusCode(), "it knows from the start what is served");
            awaitAgreement(cluster.alive());
            for (SkulkProcess node : cluster.alive()) {
                assertEquals(TestCluster.id(preferred), TestCluster.master(node));
                assertEquals(placed, instances(node));
                assertTrue(node.json("/state").bool("tracingEnabled").orElseThrow());
            }
            assertEquals(ranks, TestCluster.ranks(eldest), "ranks that run are not restarted");
        }
    }

    private static String question(int tokens) {
        return TestCluster.question(tokens, false).toString();
    }
}
