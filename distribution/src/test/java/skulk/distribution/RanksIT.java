package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.distribution.TestCluster.Stream;

/** Rank processes of one model over two nodes, killed and stopped: who notices, how soon, and who is blamed. Bounds are the promises and a second for a machine under load. */
class RanksIT {
    private static final Duration NOT_READY = Duration.ofSeconds(3); // two are promised
    private static final Duration KILLED = Duration.ofSeconds(2); // one is promised
    private static final Duration SILENT = Duration.ofSeconds(6); // five are promised

    @TempDir
    private Path temp;

    @Test
    void readinessErrorsAndBlameWhereARankIsKilledOrStopped() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess a = cluster.start("a", "--set", "requests.resume=false");
            SkulkProcess b = cluster.start("b", "--set", "requests.resume=false");
            TestCluster.awaitAgreement(cluster.alive());
            cluster.place(List.of(a, b), "Pipeline");
            staysReadyThroughLongPrompts(a, b);
            for (String signal : List.of("KILL", "STOP")) {
                boolean killed = signal.equals("KILL");
                Stream stream = new Stream(a, TestCluster.question(1900, true)).awaitStart();
                long pid = TestCluster.ranks(b).getFirst();
                TestCluster.signal(pid, signal);
                long begin = System.nanoTime();
                await().pollInterval(Duration.ofMillis(20))
                        .atMost(NOT_READY)
                        .until(() -> b.get("/readyz").statusCode() == 503);
                long notReady = System.nanoTime() - begin;
                if (!killed) {
                    await().pollInterval(Duration.ofMillis(50))
                            .atMost(SILENT)
                            .until(() -> a.get("/v1/diagnostics/cluster")
                                    .body()
                                    .matches("(?s).*waits for rank [01] since.*"));
                }
                long blamed = System.nanoTime() - begin;
                stream.awaitEnd(Duration.ofSeconds(20));
                Duration failed = Duration.ofNanos(stream.lastHeard() - begin);
                System.getLogger(RanksIT.class.getName())
                        .log(
                                System.Logger.Level.INFO,
                                "{0}: not ready after {1} ms, blamed after {2} ms, error after {3} ms",
                                signal,
                                notReady / 1_000_000,
                                killed ? "-" : blamed / 1_000_000,
                                failed.toMillis());
                assertTrue(stream.error().isPresent(), stream::text);
                assertTrue(failed.compareTo(killed ? KILLED : SILENT) < 0, "the error came after " + failed);
                await().atMost(TestCluster.PATIENCE)
                        .until(() -> ProcessHandle.of(pid)
                                .filter(ProcessHandle::isAlive)
                                .isEmpty());
                TestCluster.awaitServing(cluster.alive());
                for (SkulkProcess node : cluster.alive()) {
                    await().atMost(NOT_READY).until(() -> node.get("/readyz").statusCode() == 200);
                }
            }
        }
    }

    /** Prompts without a word in common, so that each is computed. */
    private static void staysReadyThroughLongPrompts(SkulkProcess a, SkulkProcess b) throws Exception {
        List<Stream> streams = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String text = (i + " and so on it goes ").repeat(180);
            streams.add(new Stream(
                    a,
                    TestCluster.question(2, true)
                            .with(
                                    "messages",
                                    JsonArray.of(JsonObject.of("role", "user").with("content", text)))));
        }
        int looks = 0;
        while (!streams.stream().allMatch(Stream::ended)) {
            for (SkulkProcess node : List.of(a, b)) {
                assertEquals(200, node.get("/readyz").statusCode(), () -> {
                    try {
                        return node.get("/readyz").body();
                    } catch (Exception e) {
                        return e.toString();
                    }
                });
            }
            looks++;
        }
        assertTrue(looks > 5, looks + " looks");
        assertFalse(streams.stream().anyMatch(s -> s.error().isPresent()));
    }
}
