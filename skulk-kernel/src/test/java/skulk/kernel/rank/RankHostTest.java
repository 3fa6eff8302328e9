package skulk.kernel.rank;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.RunnerStatus.RunnerReady;
import skulk.api.generation.GenerationEvent;

/** Real child processes with an engine that counts. */
class RankHostTest {
    private static final NodeId NODE = new NodeId("node");

    @TempDir
    Path sockets;

    private final List<RunnerStatus> statuses = new CopyOnWriteArrayList<>();
    private final List<RankSpec> ended = new CopyOnWriteArrayList<>();
    private final List<String> broken = new CopyOnWriteArrayList<>();
    private final Instance instance = Samples.instance("org/counter", NODE);
    private final RunnerId runner = instance.shardAssignments().nodeToRunner().get(NODE);
    private RankHost host;

    @BeforeEach
    void open() {
        host = new RankHost(() -> Samples.launch(sockets, Samples.quick()), new RankHost.Listener() {
            @Override
            public void status(RunnerId id, RunnerStatus status) {
                statuses.add(status);
            }

            @Override
            public void listening(RankSpec spec, FromRank.Listening endpoint) {}

            @Override
            public void ended(RankSpec spec) {
                ended.add(spec);
            }

            @Override
            public void brokenDown(RankSpec spec, String reason) {
                broken.add(reason);
            }
        });
    }

    @AfterEach
    void close() {
        host.close();
    }

    private void start(String misbehaviour) {
        host.create(Samples.spec(instance, NODE, misbehaviour));
        await().atMost(Duration.ofSeconds(30))
                .until(() -> host.local().getFirst().up());
        host.load(runner);
    }

    private void ready() {
        await().atMost(Duration.ofSeconds(30)).until(() -> statuses.contains(new RunnerReady()));
    }

    private BlockingQueue<GenerationEvent> submit(int tokens) {
        BlockingQueue<GenerationEvent> events = new LinkedBlockingQueue<>();
        assertTrue(host.submit(instance.instanceId(), Samples.request("org/counter", tokens), events::add));
        return events;
    }

    @Test
    void walksTheStatusesOfTheContractAndStreams() throws InterruptedException {
        start("");
        ready();
        assertEquals(
                List.of(
                        "RunnerIdle",
                        "RunnerLoading",
                        "RunnerLoading",
                        "RunnerLoading",
                        "RunnerLoaded",
                        "RunnerWarmingUp",
                        "RunnerReady"),
                statuses.stream().map(s -> s.getClass().getSimpleName()).toList());
        BlockingQueue<GenerationEvent> events = submit(20);
        StringBuilder text = new StringBuilder();
        GenerationEvent event;
        do {
            event = events.poll(5, TimeUnit.SECONDS);
            if (event instanceof GenerationEvent.Text t) {
                text.append(t.text());
            }
        } while (!(event instanceof GenerationEvent.Finished));
        assertTrue(text.toString().startsWith("w0 w1 w2 ") && text.toString().endsWith("w19 "), text.toString());
        assertEquals(
                3,
                ((skulk.api.json.JsonNumber) host.countTokens(instance.instanceId(), Samples.request("org/counter", 1))
                                .orElseThrow()
                                .join())
                        .toLong());
        host.stop(runner, false);
        await().atMost(Duration.ofSeconds(10)).until(() -> host.local().isEmpty());
        assertInstanceOf(RunnerStatus.RunnerShutdown.class, statuses.getLast());
    }

    @Test
    void aKilledRankFailsItsRequestsWithinASecond() throws InterruptedException {
        start("");
        ready();
        BlockingQueue<GenerationEvent> events = submit(100_000);
        assertInstanceOf(GenerationEvent.Accepted.class, events.poll(5, TimeUnit.SECONDS));
        long killed = System.nanoTime();
        ProcessHandle.of(host.reports().iterator().next().pid()).orElseThrow().destroyForcibly();
        GenerationEvent event;
        do {
            event = events.poll(2, TimeUnit.SECONDS);
        } while (event != null && !(event instanceof GenerationEvent.Failed));
        long millis = (System.nanoTime() - killed) / 1_000_000;
        GenerationEvent.Failed failed = assertInstanceOf(GenerationEvent.Failed.class, event);
        assertEquals(
                "Runner shutdown before completing command (Terminated (signal=9 (Killed)))",
                failed.problem().message());
        assertTrue(millis < 1000, "after " + millis + " ms");
        await().until(() -> ended.size() == 1);
        assertTrue(statuses.contains(new RunnerFailed("Terminated (signal=9 (Killed))")), statuses.toString());
        assertTrue(host.local().isEmpty(), "to be created again");
    }

    @Test
    void aWarmUpThatHangsIsEndedByTheRankItselfAndNotTriedAgain() {
        start("wedge");
        await().atMost(Duration.ofSeconds(30)).until(() -> statuses.getLast() instanceof RunnerFailed);
        assertTrue(((RunnerFailed) statuses.getLast()).errorMessage().contains("exit code 86"), statuses.toString());
        RankReport report = host.reports().iterator().next();
        assertEquals(86, report.exitCode().orElseThrow());
        assertTrue(
                report.output().stream().anyMatch(l -> l.contains("CRITICAL") && l.contains("reboot")),
                report.output().toString());
        assertTrue(ended.isEmpty() && broken.isEmpty());
        assertInstanceOf(RunnerFailed.class, host.local().getFirst().status());
    }

    @Test
    void threeCrashesInAMinuteBreakTheInstanceDown() {
        for (int i = 1; i <= 3; i++) {
            start("crash");
            int crashes = i;
            await().atMost(Duration.ofSeconds(30)).until(() -> ended.size() + broken.size() == crashes);
        }
        assertEquals(List.of("Terminated (exitcode=3)"), broken);
        assertEquals(2, ended.size());
    }

    @Test
    void aModelThatCannotBeLoadedSaysWhyAndIsNotTriedAgain() {
        start("fail");
        await().atMost(Duration.ofSeconds(30)).until(() -> statuses.getLast() instanceof RunnerFailed);
        assertEquals(
                new RunnerFailed("Loading failed: tensor model.embed is missing in model.safetensors"),
                statuses.getLast());
        await().until(() -> !host.reports().iterator().next().alive());
        assertTrue(ended.isEmpty());
        host.stop(runner, false);
        assertTrue(host.local().isEmpty());
    }

    @Test
    void aStoppedProcessIsNoticedAndItsRequestsFail() throws Exception {
        start("");
        ready();
        BlockingQueue<GenerationEvent> events = submit(1_000_000);
        long pid = host.reports().iterator().next().pid();
        new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
        long stopped = System.nanoTime();
        GenerationEvent event;
        do {
            event = events.poll(10, TimeUnit.SECONDS);
        } while (event != null && !(event instanceof GenerationEvent.Failed));
        long millis = (System.nanoTime() - stopped) / 1_000_000;
        assertInstanceOf(GenerationEvent.Failed.class, event);
        assertTrue(millis < 6000, "after " + millis + " ms");
        await().atMost(Duration.ofSeconds(5))
                .until(() -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    }
}
