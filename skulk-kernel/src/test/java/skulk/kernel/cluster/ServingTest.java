package skulk.kernel.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.TaskStatus;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.inference.Recovery;
import skulk.kernel.rank.Samples;

/** The way from a placement to a stream, over one and two nodes. */
class ServingTest {
    private static final String MODEL = "org/counter";

    @TempDir
    Path home;

    static void serving(TestNode node, Instance instance) {
        await().atMost(Duration.ofSeconds(40)).until(() -> {
            var view = node.cluster.view();
            return view.instances().containsKey(instance.instanceId()) && view.serving(instance);
        });
    }

    private static List<GenerationEvent> read(Inference.Generating generating) throws InterruptedException {
        List<GenerationEvent> events = new ArrayList<>();
        while (events.isEmpty()
                || !(events.getLast() instanceof GenerationEvent.Finished
                        || events.getLast() instanceof GenerationEvent.Failed)) {
            Optional<GenerationEvent> next = generating.next(Duration.ofSeconds(20));
            assertTrue(next.isPresent(), "nothing came after " + events.size() + " events");
            events.add(next.get());
        }
        return events;
    }

    private static String text(List<GenerationEvent> events) {
        StringBuilder text = new StringBuilder();
        events.forEach(e -> {
            if (e instanceof GenerationEvent.Text t) {
                text.append(t.text());
            }
        });
        return text.toString();
    }

    @Test
    void placesServesRecordsAndRecovers() throws Exception {
        try (TestNode node = new TestNode("n1", new SoloMembership(), home)) {
            SkulkException none =
                    assertThrows(SkulkException.class, () -> node.dispatcher.generate(Samples.request(MODEL, 5)));
            assertEquals("No instance found for model org/counter", none.getMessage());
            Instance instance = Samples.instance(MODEL, node.id);
            node.cluster.report(new Event.InstanceCreated(instance));
            serving(node, instance);

            GenerationRequest request = Samples.request(MODEL, 5);
            List<GenerationEvent> events = read(node.dispatcher.generate(request));
            assertEquals("w0 w1 w2 w3 w4 ", text(events));
            await().until(() -> node.cluster.view().tasks().values().stream()
                    .anyMatch(t -> t.commandId().equals(request.commandId()) && t.taskStatus() == TaskStatus.COMPLETE));
            try (var logged = node.log.read()) {
                List<String> tags = logged.map(j -> ((skulk.api.json.JsonObject) j)
                                .members()
                                .firstEntry()
                                .getKey())
                        .toList();
                assertTrue(
                        tags.containsAll(
                                List.of("InstanceCreated", "TaskCreated", "ChunkGenerated", "TaskStatusUpdated")),
                        tags.toString());
            }
            SkulkException tooLong =
                    assertThrows(SkulkException.class, () -> node.dispatcher.generate(Samples.request(MODEL, 2048)));
            assertTrue(
                    tooLong.getMessage().startsWith("context_length_exceeded: max_tokens (2048)"),
                    tooLong.getMessage());
            assertEquals(Problem.Kind.USER_ERROR, tooLong.problem().kind());
            assertEquals(-0.8f, embed(node, "a"));
            SkulkException lost =
                    assertThrows(SkulkException.class, () -> embed(node, "die once: " + home.resolve("dead")));
            assertEquals("instance_lost", lost.problem().code());
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> !node.ranks.reports().isEmpty());
            serving(node, instance);

            Inference.Generating stream = node.dispatcher.generate(Samples.request(MODEL, 2000));
            stream.next(Duration.ofSeconds(5));
            long pid = node.ranks.reports().iterator().next().pid();
            long killed = System.nanoTime();
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            GenerationEvent.Failed failed =
                    assertInstanceOf(GenerationEvent.Failed.class, read(stream).getLast());
            assertTrue(System.nanoTime() - killed < 1_000_000_000L);
            assertEquals("instance_lost", failed.problem().code());
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> node.ranks.reports().stream().anyMatch(r -> r.pid() != pid));
            serving(node, instance); // restarted without a hand
            assertEquals("w0 w1 ", text(read(node.dispatcher.generate(Samples.request(MODEL, 2)))));
        }
    }

    @Test
    void cancelsAndDeletes() throws Exception {
        try (TestNode node = new TestNode("n1", new SoloMembership(), home)) {
            Instance instance = Samples.instance(MODEL, node.id);
            node.cluster.report(new Event.InstanceCreated(instance));
            serving(node, instance);
            node.cluster.report(new Event.TracingStateChanged(true));
            await().until(() -> node.cluster.view().tracingEnabled());
            GenerationRequest request = Samples.request(MODEL, 2000);
            Inference.Generating cancelled = node.dispatcher.generate(request);
            while (!(cancelled.next(Duration.ofSeconds(5)).orElseThrow() instanceof GenerationEvent.Text)) {
                continue;
            }
            assertTrue(node.dispatcher.cancel(request.commandId()));
            assertEquals(
                    "cancelled",
                    ((GenerationEvent.Failed) read(cancelled).getLast())
                            .problem()
                            .code());
            await().until(() ->
                    node.ranks.reports().iterator().next().inFlight().isEmpty());
            assertEquals(
                    List.of("queued", "admitted_to_batch", "kv_cache_result", "prefill", "first_token", "cancel"),
                    node.traces.getFirst().spans().stream().map(s -> s.name()).toList());

            Inference.Generating deleted = node.dispatcher.generate(Samples.request(MODEL, 2000));
            node.cluster.report(Event.InstanceDeleted.wanted(instance.instanceId()));
            GenerationEvent.Failed failed =
                    (GenerationEvent.Failed) read(deleted).getLast();
            assertEquals(
                    "The request was cancelled because its instance was deleted",
                    failed.problem().message());
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> node.ranks.local().isEmpty());
            assertTrue(node.cluster.view().runners().isEmpty());
        }
    }

    @Test
    void servesOverASecondNodeAndLosesIt() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            Instance instance = Samples.instance(MODEL, second.id);
            second.cluster.report(new Event.InstanceCreated(instance));
            serving(first, instance);
            serving(second, instance);
            assertEquals("w0 w1 w2 ", text(read(first.dispatcher.generate(Samples.request(MODEL, 3)))));
            assertEquals(3, first.dispatcher.countTokens(Samples.request(MODEL, 3)));

            Inference.Generating stream = first.dispatcher.generate(Samples.request(MODEL, 2000));
            stream.next(Duration.ofSeconds(5));
            hub.cut(second.id);
            GenerationEvent.Failed failed =
                    assertInstanceOf(GenerationEvent.Failed.class, read(stream).getLast());
            assertEquals(Losses.INSTANCE_LOST, failed.problem().message());
            await().until(() -> first.cluster.view().instances().isEmpty());
            assertTrue(first.cluster.view().tasks().values().stream()
                    .anyMatch(t -> t instanceof skulk.api.cluster.Task.TextGeneration g
                            && g.errorType().equals(Optional.of("instance_lost"))));
        }
    }

    private static final Recovery.Policy RESUMES = new Recovery.Policy(true, Duration.ofSeconds(30), 3);

    /** All words from the first to the last, each once. */
    private static void whole(int words, List<GenerationEvent> events) {
        GenerationEvent.Finished end = assertInstanceOf(GenerationEvent.Finished.class, events.getLast());
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < words; i++) {
            expected.append("w").append(i).append(' ');
        }
        assertEquals(expected.toString(), text(events));
        assertEquals(words, end.usage().completionTokens());
        assertEquals(
                1,
                events.stream()
                        .filter(GenerationEvent.Accepted.class::isInstance)
                        .count());
    }

    private static void awaitWords(Inference.Generating stream, List<GenerationEvent> into, int words)
            throws InterruptedException {
        while (into.stream().filter(GenerationEvent.Text.class::isInstance).count() < words) {
            into.add(stream.next(Duration.ofSeconds(5)).orElseThrow());
        }
    }

    @Test
    void aStreamWhoseRankDiesGoesOnWithTheRestartedOne() throws Exception {
        try (TestNode node = new TestNode("n1", new SoloMembership(), home, RESUMES)) {
            Instance instance = Samples.instance(MODEL, node.id);
            node.cluster.report(new Event.InstanceCreated(instance));
            serving(node, instance);
            GenerationRequest request = Samples.request(MODEL, 1500);
            Inference.Generating stream = node.dispatcher.generate(request);
            List<GenerationEvent> events = new ArrayList<>();
            for (int death = 1; death <= 2; death++) {
                awaitWords(stream, events, 300 * death);
                ProcessHandle.of(node.ranks.reports().iterator().next().pid())
                        .orElseThrow()
                        .destroyForcibly();
            }
            events.addAll(read(stream));
            whole(1500, events);
            await().until(() -> node.cluster.view().tasks().values().stream()
                    .filter(t -> t.commandId().equals(request.commandId()))
                    .map(skulk.api.cluster.Task::taskStatus)
                    .sorted()
                    .toList()
                    .equals(List.of(TaskStatus.COMPLETE, TaskStatus.FAILED, TaskStatus.FAILED)));
        }
    }

    private static float embed(TestNode node, String text) {
        EmbeddingRequest request = new EmbeddingRequest(
                CommandId.random(), new ModelId(MODEL), List.of(text), Optional.empty(), false, "me");
        return node.dispatcher.embed(request).vectors().getFirst()[1];
    }

    @Test
    void embeddingsWhoseRankDiesAreAskedForAgain() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home, RESUMES);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            Instance own = Samples.instance(MODEL, first.id);
            first.cluster.report(new Event.InstanceCreated(own));
            serving(first, own);
            assertEquals(-0.8f, embed(first, "die once: " + home.resolve("own")));
            first.cluster.report(Event.InstanceDeleted.wanted(own.instanceId()));
            Instance there = Samples.instance(MODEL, second.id);
            first.cluster.report(new Event.InstanceCreated(there));
            serving(first, there);
            assertEquals(-0.8f, embed(first, "die once: " + home.resolve("there")));
        }
    }

    @Test
    void aStreamOfALostNodeGoesOnElsewhereOrEndsWhereThereIsNoElse() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home, RESUMES);
                TestNode second = new TestNode("n2", hub.membership(), home);
                TestNode third = new TestNode("n3", hub.membership(), home)) {
            Instance there = Samples.instance(MODEL, second.id);
            first.cluster.report(new Event.InstanceCreated(there));
            serving(first, there);
            Inference.Generating stream = first.dispatcher.generate(Samples.request(MODEL, 1500));
            List<GenerationEvent> events = new ArrayList<>();
            awaitWords(stream, events, 200);
            Instance other = Samples.instance(MODEL, third.id);
            first.cluster.report(new Event.InstanceCreated(other));
            serving(first, other);
            hub.cut(second.id); // it runs on and goes on sending, which must not be mixed in
            events.addAll(read(stream));
            whole(1500, events);

            Inference.Generating hopeless = first.dispatcher.generate(Samples.request(MODEL, 1500));
            awaitWords(hopeless, new ArrayList<>(), 10);
            long cut = System.nanoTime();
            hub.cut(third.id);
            GenerationEvent.Failed failed = assertInstanceOf(
                    GenerationEvent.Failed.class, read(hopeless).getLast());
            assertEquals(Losses.INSTANCE_LOST, failed.problem().message());
            assertTrue(System.nanoTime() - cut < 1_000_000_000L, "nothing to wait for, so no wait");
        }
    }

    @Test
    void aStreamWhoseInstanceIsGivenUpInAMergeGoesOn() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home, RESUMES);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            Instance here = Samples.instance(MODEL, first.id);
            Instance there = Samples.instance(MODEL, second.id);
            for (Instance given : List.of(here, there)) { // a rank of this node, and one of another
                first.cluster.report(new Event.InstanceCreated(given));
                serving(first, given);
                Inference.Generating stream = first.dispatcher.generate(Samples.request(MODEL, 1500));
                List<GenerationEvent> events = new ArrayList<>();
                awaitWords(stream, events, 200);
                Instance other = Samples.instance(MODEL, given == here ? second.id : first.id);
                first.cluster.report(new Event.InstanceCreated(other));
                serving(first, other);
                first.cluster.report(Event.InstanceDeleted.lost(given.instanceId()));
                events.addAll(read(stream));
                whole(1500, events);
                first.cluster.report(Event.InstanceDeleted.wanted(other.instanceId()));
            }
        }
    }

    @Test
    void aWaitForAnotherInstanceHasItsBounds() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home, RESUMES);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            first.replaceable = true; // promised, but nobody keeps it
            Instance there = Samples.instance(MODEL, second.id);
            first.cluster.report(new Event.InstanceCreated(there));
            serving(first, there);
            Inference.Generating stream = first.dispatcher.generate(Samples.request(MODEL, 1500));
            awaitWords(stream, new ArrayList<>(), 10);
            hub.cut(second.id);
            List<GenerationEvent> events = new ArrayList<>();
            await().atMost(Duration.ofSeconds(10)).until(() -> {
                stream.next(Duration.ofMillis(20)).ifPresent(events::add);
                return !events.isEmpty() && events.getLast() instanceof GenerationEvent.Failed;
            });
            assertEquals(
                    "instance_lost",
                    ((GenerationEvent.Failed) events.getLast()).problem().code());
        }
    }

    @Test
    void aNodeThatIsAMemberButNotHeardLosesItsRequests() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            Instance there = Samples.instance(MODEL, second.id);
            first.cluster.report(new Event.InstanceCreated(there));
            serving(first, there);
            Inference.Generating quiet = first.dispatcher.generate(Samples.request(MODEL, 1));
            read(quiet);
            Inference.Generating stream = first.dispatcher.generate(Samples.request(MODEL, 2000));
            awaitWords(stream, new ArrayList<>(), 10);
            hub.lose(second.id, first.id);
            long lost = System.nanoTime();
            List<GenerationEvent> events = new ArrayList<>();
            await().atMost(Duration.ofSeconds(20)).until(() -> {
                first.cluster.replan(); // as readings do every second
                stream.next(Duration.ofMillis(100)).ifPresent(events::add);
                return !events.isEmpty() && events.getLast() instanceof GenerationEvent.Failed;
            });
            assertEquals(
                    Losses.INSTANCE_LOST,
                    ((GenerationEvent.Failed) events.getLast()).problem().message());
            long seconds = (System.nanoTime() - lost) / 1_000_000_000L;
            assertTrue(seconds >= 3 && seconds <= 6, "after " + seconds + " s");
        }
    }

    @Test
    void aQuestionToAMemberThatIsNotHeardEndsAndOneToASlowMemberDoesNot() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home);
                TestNode second = new TestNode("n2", hub.membership(), home);
                TestNode third = new TestNode("n3", hub.membership(), home)) {
            CountDownLatch ended = new CountDownLatch(1);
            for (TestNode node : List.of(second, third)) {
                node.cluster.calls().answer("slow", body -> {
                    try {
                        ended.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return body;
                });
            }
            await().until(() -> first.cluster.view().members().size() == 3);
            var slow = first.cluster.calls().askLater(third.id, "slow", JsonObject.EMPTY);
            var unheard = first.cluster.calls().askLater(second.id, "slow", JsonObject.EMPTY);
            hub.lose(second.id, first.id);
            long lost = System.nanoTime();
            await().atMost(Duration.ofSeconds(8)).until(unheard::isDone);
            long millis = (System.nanoTime() - lost) / 1_000_000L;
            assertTrue(millis > 2500 && millis < 6000, "after " + millis + " ms");
            Throwable why = unheard.exceptionNow();
            assertEquals(Calls.NODE_LOST, ((SkulkException) why).problem().code());
            assertFalse(slow.isDone());
            ended.countDown();
            assertEquals(JsonObject.EMPTY, slow.get(5, java.util.concurrent.TimeUnit.SECONDS));
        }
    }

    @Test
    void ranksOfTwoNodesConnectBeforeTheyLoad() throws Exception {
        Hub hub = new Hub();
        try (TestNode first = new TestNode("n1", hub.membership(), home);
                TestNode second = new TestNode("n2", hub.membership(), home)) {
            await().atMost(Duration.ofSeconds(10))
                    .until(() ->
                            first.cluster.view().topology().neighbours(first.id).equals(List.of(second.id)));
            assertTrue(first.cluster
                            .view()
                            .topology()
                            .best(first.id, second.id)
                            .orElseThrow()
                            .latencyMicros()
                    > 0);
            Instance instance = Samples.instance(MODEL, first.id, second.id);
            first.cluster.report(new Event.InstanceCreated(instance));
            serving(second, instance);
            serving(first, instance);
            assertEquals("w0 w1 ", text(read(second.dispatcher.generate(Samples.request(MODEL, 2)))));
            for (TestNode node : List.of(first, second)) {
                List<String> milestones = node.ranks.reports().iterator().next().milestones().stream()
                        .map(m -> m.name())
                        .toList();
                assertTrue(
                        milestones.containsAll(
                                List.of("RunnerConnecting", "RunnerConnected", "RunnerLoading", "RunnerReady")),
                        milestones.toString());
            }
        }
    }
}
