package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonObject;
import skulk.distribution.TestCluster.Stream;

/** Streams whose ranks die: their clients see a pause and the text that an undisturbed one would have seen. */
class ResumeIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Two seconds are promised, of a machine that has time. */
    private static final Duration UNREADY = Duration.ofSeconds(4);

    private static final int TOKENS = 800;

    @TempDir
    private Path temp;

    private static final JsonObject GREEDY = TestCluster.question(TOKENS, true)
            .with("temperature", 0)
            .with("stream_options", JsonObject.of("include_usage", true));
    private static final JsonObject SEEDED = TestCluster.question(300, true)
            .with("temperature", 1.2)
            .with("seed", 5)
            .with("n", 2)
            .with("logprobs", true)
            .with("frequency_penalty", 0.2);

    /** What undisturbed clients get. */
    private static List<String> undisturbed(SkulkProcess node) throws Exception {
        List<String> texts = new ArrayList<>();
        for (JsonObject body : List.of(GREEDY, SEEDED)) {
            Stream stream = new Stream(node, body).awaitEnd(PATIENCE);
            assertEquals(Optional.empty(), stream.error());
            texts.add(stream.text());
        }
        return texts;
    }

    private static void same(List<String> expected, List<Stream> streams) throws Exception {
        for (int i = 0; i < streams.size(); i++) {
            Stream stream = streams.get(i).awaitEnd(PATIENCE);
            assertEquals(Optional.empty(), stream.error());
            sameText(expected.get(i), stream.text());
        }
        JsonObject usage = streams.getFirst().usage().orElseThrow();
        assertEquals(TOKENS, usage.integer("completion_tokens").orElseThrow());
    }

    /** Without printing a hundred thousand characters. */
    private static void sameText(String expected, String text) {
        int at = java.util.Arrays.mismatch(expected.toCharArray(), text.toCharArray());
        assertEquals(
                -1,
                at,
                () -> "differs at " + at + ": ..." + expected.substring(Math.max(0, at - 200), at) + " | "
                        + text.substring(at, Math.min(text.length(), at + 200)));
    }

    private static List<Stream> two(SkulkProcess node) {
        return List.of(new Stream(node, GREEDY).awaitStart(), new Stream(node, SEEDED).awaitStart());
    }

    @Test
    void aKilledRankAndAStoppedOneCostAPause() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess node = cluster.start("a");
            cluster.place(List.of(node), "Pipeline");
            List<String> expected = undisturbed(node);
            for (String signal : List.of("KILL", "STOP")) {
                List<Stream> streams = two(node);
                assertEquals(200, node.get("/readyz").statusCode());
                TestCluster.signal(TestCluster.ranks(node).getFirst(), signal);
                await().pollInterval(Duration.ofMillis(20))
                        .atMost(UNREADY)
                        .until(() -> node.get("/readyz").statusCode() == 503);
                same(expected, streams);
                assertTrue(node.json("/v1/diagnostics/node")
                                .array("supervisorRunners")
                                .orElseThrow()
                                .size()
                        == 1);
            }
            String resumed = node.get("/metrics")
                    .body()
                    .lines()
                    .filter(l -> l.contains("outcome=\"resumed\""))
                    .findFirst()
                    .orElse("none");
            assertTrue(resumed.endsWith(" 6") || resumed.endsWith(" 6.0"), resumed); // two choices are two requests
        }
    }

    @Test
    void aLostNodeCostsAPauseWhereTheModelIsOrCanBeElsewhere() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess entry = cluster.start("entry", "--no-worker");
            SkulkProcess first = cluster.start("first");
            SkulkProcess second = cluster.start("second");
            TestCluster.awaitAgreement(cluster.alive());
            cluster.place(List.of(first), "Pipeline");
            List<String> expected = undisturbed(entry);

            List<Stream> placedAgain = two(entry);
            first.kill();
            same(expected, placedAgain);

            SkulkProcess third = cluster.start("third");
            TestCluster.awaitAgreement(cluster.alive());
            cluster.place(List.of(third), "Pipeline");
            List<Stream> elsewhere = new ArrayList<>(two(entry));
            elsewhere.addAll(two(entry)); // those in flight are on both instances
            second.kill();
            for (int i = 0; i < elsewhere.size(); i++) {
                Stream stream = elsewhere.get(i).awaitEnd(PATIENCE);
                assertEquals(Optional.empty(), stream.error());
                sameText(expected.get(i % 2), stream.text());
            }

            // one rank of a split model, with nowhere else to go than the same two nodes
            SkulkProcess fourth = cluster.start("fourth");
            TestCluster.awaitAgreement(cluster.alive());
            for (String instance : TestCluster.instances(entry)) {
                entry.delete("/instance/" + instance);
            }
            cluster.place(List.of(third, fourth), "Pipeline");
            List<String> split = undisturbed(entry);
            List<Stream> streams = two(entry);
            TestCluster.signal(TestCluster.ranks(fourth).getFirst(), "KILL");
            same(split, streams);
        }
    }
}
