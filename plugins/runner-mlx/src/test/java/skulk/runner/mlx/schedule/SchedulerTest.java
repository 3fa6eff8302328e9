package skulk.runner.mlx.schedule;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.Drafter;
import skulk.api.RankContext;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;

class SchedulerTest {
    private final List<Scheduler> open = new ArrayList<>();

    @AfterEach
    void closeAll() {
        open.forEach(Scheduler::close);
    }

    private Scheduler scheduler(Decoder decoder, int concurrent, int queued, int context) {
        Scheduler.Options options =
                new Scheduler.Options(concurrent, queued, 1_000_000, 64, new ContextLimit(context, 32));
        Scheduler scheduler = new Scheduler(decoder, options, RankContext.Watcher.silent(), plan -> {});
        open.add(scheduler);
        return scheduler;
    }

    private static Job job(String client, int[] prompt, Integer maxTokens, SequenceOutput output) {
        return job(client, prompt, maxTokens, output, Optional.empty());
    }

    private static Job job(
            String client, int[] prompt, Integer maxTokens, SequenceOutput output, Optional<Drafter> drafter) {
        Sampler sampler = new Sampler(SamplingPlan.greedy(), prompt, Optional.empty(), Optional.empty());
        return new Job(client, prompt, new int[0], Optional.ofNullable(maxTokens), sampler, Set.of(), output, drafter);
    }

    private static int[] prompt(int length, int seed) {
        return new Random(seed).ints(length, 0, FakeDecoder.VOCAB).toArray();
    }

    private static List<Integer> expected(int[] prompt, int count) {
        List<Integer> past = new ArrayList<>(Arrays.stream(prompt).boxed().toList());
        for (int i = 0; i < count; i++) {
            past.add(FakeDecoder.next(past));
        }
        return past.subList(prompt.length, past.size());
    }

    @Test
    void outputsDoNotDependOnCompany() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, false);
        Scheduler scheduler = scheduler(decoder, 5, 100, 1000);
        Random random = new Random(3);
        List<int[]> prompts = new ArrayList<>();
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            prompts.add(prompt(1 + random.nextInt(200), i % 7));
            recorders.add(new Recorder());
            scheduler.submit(job("client" + i % 3, prompts.get(i), 1 + i, recorders.get(i)));
        }
        for (int i = 0; i < 40; i++) {
            assertEquals(FinishReason.LENGTH, recorders.get(i).awaitEnd().reason());
            assertEquals(expected(prompts.get(i), 1 + i), recorders.get(i).tokens);
            assertEquals(recorders.get(i).tokens, recorders.get(i).committed);
        }
        assertTrue(decoder.steps.stream().anyMatch(step -> step.size() == 5), "batches were shared");
        assertTrue(decoder.steps.stream().allMatch(step -> step.size() <= 5), "never more than allowed");
    }

    @Test
    void aLongPromptSharesEveryStepWithRunningStreams() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 4, 10, 4000);
        Recorder stream = new Recorder();
        scheduler.submit(job("a", prompt(5, 1), 200, stream));
        decoder.permits.release(10);
        await().until(() -> decoder.steps.size() == 10);
        Recorder late = new Recorder();
        scheduler.submit(job("b", prompt(1000, 2), 2, late));
        decoder.permits.release(100_000);
        late.awaitEnd();
        stream.awaitEnd();
        List<List<FakeDecoder.Seen>> shared = decoder.steps.stream()
                .filter(step -> step.stream().anyMatch(seen -> seen.sequence() == 1 && seen.logitRows() == 0))
                .toList();
        assertTrue(shared.size() > 10, "the prompt was cut into " + shared.size());
        for (List<FakeDecoder.Seen> step : shared.subList(0, 10)) {
            assertTrue(step.contains(new FakeDecoder.Seen(0, 1, 1)), "a stream was left out of " + step);
        }
        assertEquals(expected(prompt(1000, 2), 2), late.tokens);
        assertEquals(1000, late.prefills.getLast());
    }

    @Test
    void aShortPromptDoesNotWaitForALongOne() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 4, 10, 4000);
        Recorder longOne = new Recorder();
        Recorder shortOne = new Recorder();
        scheduler.submit(job("a", prompt(3000, 1), 1, longOne));
        scheduler.submit(job("b", prompt(10, 2), 1, shortOne));
        decoder.permits.release(4);
        shortOne.awaitEnd();
        assertTrue(!longOne.end.isDone());
        decoder.permits.release(100_000);
        longOne.awaitEnd();
    }

    @Test
    void cancelTakesEffectDuringPrefillAndFreesEverything() throws Exception {
        FakeDecoder decoder = new FakeDecoder(2048, true);
        Scheduler scheduler = scheduler(decoder, 4, 10, 4000);
        Recorder recorder = new Recorder();
        Scheduler.Ticket ticket = scheduler.submit(job("a", prompt(3000, 1), 100, recorder));
        decoder.permits.release(3);
        await().until(() -> decoder.steps.size() == 3);
        ticket.cancel();
        ticket.cancel();
        decoder.permits.release(1);
        assertEquals("cancelled", recorder.awaitProblem().code());
        assertEquals(4, decoder.steps.size());
        decoder.permits.release(1000);
        Recorder next = new Recorder();
        scheduler.submit(job("a", prompt(8000 / 4, 9), 4, next));
        next.awaitEnd();
    }

    @Test
    void tenThousandCancelsLeakNothing() throws Exception {
        FakeDecoder decoder = new FakeDecoder(512, false);
        Scheduler scheduler = scheduler(decoder, 8, 20_000, 1000);
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            Recorder recorder = new Recorder();
            Scheduler.Ticket ticket = scheduler.submit(job("a", prompt(20, i), 500, recorder));
            recorders.add(recorder);
            ticket.cancel();
        }
        for (Recorder recorder : recorders) {
            // one that was quick may have ended before its cancellation
            CompletableFuture.anyOf(recorder.problem, recorder.end).get(20, TimeUnit.SECONDS);
        }
        assertTrue(scheduler.report().integer("cancelled").orElseThrow() > 5_000);
        await().until(() -> scheduler.report().integer("active").orElseThrow() == 0);
        long kept = scheduler.report().integer("cacheBlocksKept").orElseThrow();
        assertEquals(kept, decoder.pool.usedBytes());
        scheduler.close();
        assertEquals(0, decoder.pool.usedBytes());
    }

    @Test
    void aCacheDoesNotGrowWhileMemoryIsScarce() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, false);
        AtomicBoolean scarce = new AtomicBoolean();
        Scheduler scheduler = new Scheduler(
                decoder,
                new Scheduler.Options(1, 10, 100_000, 64, new ContextLimit(1000, 32), scarce::get),
                RankContext.Watcher.silent(),
                plan -> {});
        int grown = 0;
        for (int i = 0; i < 12; i++) {
            Recorder recorder = new Recorder();
            scheduler.submit(job("a", prompt(100, i), 4, recorder));
            recorder.awaitEnd();
            assertEquals(expected(prompt(100, i), 4), recorder.tokens);
            if (i == 5) {
                scarce.set(true);
                grown = decoder.pool.mostUsed();
            }
        }
        assertTrue(grown > 0);
        assertEquals(grown, decoder.pool.mostUsed());
        scheduler.close();
        assertEquals(0, decoder.pool.usedBytes());
    }

    @Test
    void clientsAreServedInTurnsByTokens() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 1, 100, 1000);
        List<String> order = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String client = i < 9 ? "greedy" : "modest";
            Recorder recorder = new Recorder();
            recorder.admitted.thenRun(() -> order.add(client));
            recorders.add(recorder);
            scheduler.submit(job(client, prompt(10, i), 10, recorder));
        }
        decoder.permits.release(100_000);
        for (Recorder recorder : recorders) {
            recorder.awaitEnd();
        }
        assertTrue(order.lastIndexOf("modest") <= 7, "order was " + order);
    }

    @Test
    void theGreediestGivesWayWhereThereIsNoRoom() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 1, 4, 1000);
        Recorder running = new Recorder();
        scheduler.submit(job("greedy", prompt(4, 0), 5, running));
        running.admitted.get(10, TimeUnit.SECONDS);
        List<Recorder> greedy = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            greedy.add(new Recorder());
            scheduler.submit(job("greedy", prompt(10, i), 10, greedy.getLast()));
        }
        assertEquals(Kind.OVERLOADED, greedy.get(4).awaitProblem().kind());
        Recorder modest = new Recorder();
        scheduler.submit(job("modest", prompt(20, 7), 20, modest));
        Problem displaced = greedy.get(3).awaitProblem();
        assertEquals(Kind.OVERLOADED, displaced.kind());
        assertTrue(displaced.retryAfter().isPresent());
        assertTrue(greedy.subList(0, 3).stream().noneMatch(recorder -> recorder.problem.isDone()));
        decoder.permits.release(100_000);
        modest.awaitEnd();
        greedy.get(2).awaitEnd();
        assertEquals(2, scheduler.report().integer("overloaded").orElseThrow());
    }

    @Test
    void overloadIsRefusedWithATime() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 1, 2, 1000);
        Recorder running = new Recorder();
        scheduler.submit(job("a", prompt(4, 0), 5, running));
        running.admitted.get(10, TimeUnit.SECONDS);
        scheduler.submit(job("a", prompt(4, 1), 5, new Recorder()));
        scheduler.submit(job("a", prompt(4, 2), 5, new Recorder()));
        Recorder refused = new Recorder();
        scheduler.submit(job("a", prompt(4, 3), 5, refused));
        Problem problem = refused.awaitProblem();
        assertEquals(Kind.OVERLOADED, problem.kind());
        assertTrue(problem.retryAfter().orElseThrow().toSeconds() >= 1);
        decoder.permits.release(1000);
        running.awaitEnd();
    }

    @Test
    void theContextLimitHoldsToTheToken() throws Exception {
        Scheduler scheduler = scheduler(new FakeDecoder(4096, false), 2, 10, 100);
        for (int[] tooLong : new int[][] {{100, 1}, {101, 1}, {99, 2}, {50, 51}}) {
            Recorder refused = new Recorder();
            scheduler.submit(job("a", prompt(tooLong[0], 1), tooLong[1], refused));
            assertEquals("context_length_exceeded", refused.awaitProblem().code());
            assertTrue(refused.awaitProblem().message().startsWith("context_length_exceeded:"));
            assertEquals(Kind.USER_ERROR, refused.awaitProblem().kind());
        }
        Recorder exact = new Recorder();
        scheduler.submit(job("a", prompt(50, 1), 50, exact));
        assertEquals(FinishReason.LENGTH, exact.awaitEnd().reason());
        assertEquals(50, exact.tokens.size());
        Recorder clamped = new Recorder();
        scheduler.submit(job("a", prompt(90, 1), null, clamped));
        assertEquals(FinishReason.LENGTH, clamped.awaitEnd().reason());
        assertEquals(10, clamped.tokens.size());
        Recorder standard = new Recorder();
        scheduler.submit(job("a", prompt(9, 1), null, standard));
        standard.awaitEnd();
        assertEquals(32, standard.tokens.size());
    }

    @Test
    void aRepeatedPromptComesFromTheCache() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, false);
        Scheduler scheduler = scheduler(decoder, 2, 10, 3000);
        for (int cached : new int[] {0, 1996, 1996}) {
            Recorder recorder = new Recorder();
            scheduler.submit(job("a", prompt(2000, 1), 5, recorder));
            recorder.awaitEnd();
            assertEquals(cached, recorder.tally.orElseThrow().cachedTokens());
            assertEquals(expected(prompt(2000, 1), 5), recorder.tokens);
        }
        int[] longer = Arrays.copyOf(prompt(2000, 1), 2010);
        Recorder turn = new Recorder();
        scheduler.submit(job("b", longer, 5, turn));
        turn.awaitEnd();
        assertEquals(2000, turn.tally.orElseThrow().cachedTokens());
        assertEquals(expected(longer, 5), turn.tokens);
    }

    @Test
    void tooSmallACacheMakesSequencesWaitNotFail() throws Exception {
        FakeDecoder decoder = new FakeDecoder(60, false);
        Scheduler scheduler = scheduler(decoder, 8, 100, 240);
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            recorders.add(new Recorder());
            scheduler.submit(job("a", prompt(20, i), 150, recorders.get(i)));
        }
        for (int i = 0; i < 16; i++) {
            recorders.get(i).awaitEnd();
            assertEquals(expected(prompt(20, i), 150), recorders.get(i).tokens);
        }
        assertTrue(scheduler.report().integer("preempted").orElseThrow() > 0);
    }

    /** Sequences that take steps by turns, and that are let in by a prefix which they then cannot start with. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void whoeverIsPushedOutLetsOthersGetOn(int overlap) throws Exception {
        FakeDecoder decoder = new FakeDecoder(30, false);
        decoder.pool.shareable = 2;
        Scheduler.Options options = new Scheduler.Options(5, 100, 1_000_000, 64, new ContextLimit(120, 32));
        Scheduler scheduler = new Scheduler(decoder, options, RankContext.Watcher.silent(), plan -> {}, overlap);
        open.add(scheduler);
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            recorders.add(new Recorder());
            scheduler.submit(job("a", prompt(30 + 2 * i, 1), 20 + i, recorders.get(i)));
        }
        for (int i = 0; i < 24; i++) {
            recorders.get(i).awaitEnd();
            assertEquals(expected(prompt(30 + 2 * i, 1), 20 + i), recorders.get(i).tokens);
        }
        assertTrue(scheduler.report().integer("preempted").orElseThrow() > 0);
    }

    @Test
    void aFaultStaysWithItsRequest() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, false);
        decoder.fault = batch -> {
            for (Batch.Slice slice : batch.slices()) {
                if (slice.tokens()[0] == 13) {
                    throw new IllegalArgumentException("thirteen");
                }
            }
            return batch;
        };
        Scheduler scheduler = scheduler(decoder, 4, 10, 1000);
        Recorder good = new Recorder();
        Recorder bad = new Recorder();
        scheduler.submit(job("a", new int[] {1, 2, 3}, 3, good));
        scheduler.submit(job("a", new int[] {13, 2, 3}, 3, bad));
        assertTrue(bad.awaitProblem().message().contains("thirteen"));
        good.awaitEnd();
        assertEquals(expected(new int[] {1, 2, 3}, 3), good.tokens);
    }

    @Test
    void draftsChangeNothingButTheNumberOfSteps() throws Exception {
        int[] prompt = prompt(30, 4);
        for (double truth : new double[] {0, 0.5, 1}) {
            FakeDecoder decoder = new FakeDecoder(4096, false);
            Scheduler scheduler = scheduler(decoder, 2, 10, 1000);
            Recorder recorder = new Recorder();
            scheduler.submit(job("a", prompt, 100, recorder, Optional.of(new Oracle(truth))));
            assertEquals(FinishReason.LENGTH, recorder.awaitEnd().reason());
            assertEquals(expected(prompt, 100), recorder.tokens);
            Tally tally = recorder.tally.orElseThrow();
            if (truth == 1) {
                assertEquals(0, tally.rejectedDraft());
                assertTrue(decoder.steps.size() < 60, decoder.steps.size() + " steps");
            }
            if (truth == 0) {
                assertEquals(0, tally.acceptedDraft());
            }
        }
    }

    @Test
    void forcedTokensComeNextAndCount() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, false);
        Scheduler scheduler = scheduler(decoder, 2, 10, 1000);
        int[] prompt = prompt(9, 5);
        Recorder recorder = new Recorder(6, List.of(90, 91, 92));
        scheduler.submit(job("a", prompt, 20, recorder));
        recorder.awaitEnd();
        List<Integer> past = new ArrayList<>(Arrays.stream(prompt).boxed().toList());
        past.addAll(expected(prompt, 6));
        past.addAll(List.of(90, 91, 92));
        while (past.size() < prompt.length + 20) {
            past.add(FakeDecoder.next(past));
        }
        assertEquals(past.subList(prompt.length, past.size()), recorder.tokens);
        assertEquals(recorder.tokens, recorder.committed);
        assertEquals(20, recorder.tally.orElseThrow().generated());
    }

    @Test
    void closingFailsWhatIsInFlight() throws Exception {
        FakeDecoder decoder = new FakeDecoder(4096, true);
        Scheduler scheduler = scheduler(decoder, 1, 10, 1000);
        Recorder running = new Recorder();
        Recorder waiting = new Recorder();
        scheduler.submit(job("a", prompt(4, 1), 50, running));
        running.admitted.get(10, TimeUnit.SECONDS);
        scheduler.submit(job("a", prompt(4, 2), 50, waiting));
        // both sequences are still under way when it closes: the step waits for its permit
        Thread closing = Thread.ofVirtual().start(scheduler::close);
        await().until(() -> closing.getState() == Thread.State.WAITING);
        decoder.permits.release(100_000);
        closing.join();
        assertEquals("runner_closed", waiting.awaitProblem().code());
        assertTrue(running.problem.isDone() || running.end.isDone());
        Recorder late = new Recorder();
        scheduler.submit(job("a", prompt(4, 2), 50, late));
        assertEquals("runner_closed", late.awaitProblem().code());
        assertEquals(0, decoder.pool.usedBytes());
    }

    @Test
    void anIdleSchedulerUsesNoProcessor() throws Exception {
        Scheduler scheduler = scheduler(new FakeDecoder(64, false), 1, 10, 200);
        Recorder recorder = new Recorder();
        scheduler.submit(job("a", prompt(4, 1), 5, recorder));
        recorder.awaitEnd();
        Thread thread = Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().equals("scheduler") && t.isAlive())
                .findFirst()
                .orElseThrow();
        await().until(() -> thread.getState() == Thread.State.WAITING);
    }

    /** Knows the future, and lies with a given probability. */
    private static final class Oracle implements Drafter {
        private final double truth;
        private final Random random = new Random(1);
        private final List<Integer> past = new ArrayList<>();

        Oracle(double truth) {
            this.truth = truth;
        }

        @Override
        public void begin(int[] prompt) {
            past.clear();
            Arrays.stream(prompt).forEach(past::add);
        }

        @Override
        public int[] draft(int limit) {
            List<Integer> ahead = new ArrayList<>(past);
            return IntStream.range(0, limit)
                    .map(i -> {
                        int next = FakeDecoder.next(ahead);
                        ahead.add(next);
                        return random.nextDouble() < truth ? next : (next + 1) % FakeDecoder.VOCAB;
                    })
                    .toArray();
        }

        @Override
        public void accept(int[] tokens, java.lang.foreign.MemorySegment hidden) {
            Arrays.stream(tokens).forEach(past::add);
        }

        @Override
        public void close() {}
    }
}
