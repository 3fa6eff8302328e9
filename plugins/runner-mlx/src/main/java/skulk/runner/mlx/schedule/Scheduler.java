package skulk.runner.mlx.schedule;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import skulk.api.RankContext;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.model.CacheFullException;
import skulk.runner.mlx.model.Decoder;

/**
 * The loop that serves: one thread that admits sequences, runs one step for all of them, and hands out the tokens; it
 * sleeps while there is nothing to do.
 *
 * <p>Sequences join and leave between steps. Prompts are computed in chunks that share steps with running streams. A
 * sequence that finds no room in the cache gives up its place and is computed again later, from its own tokens, without
 * its client noticing. Any thread may submit and cancel.
 */
public final class Scheduler implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Scheduler.class.getName());

    /**
     * @param maxConcurrent most sequences in the batch
     * @param maxQueued most requests that wait
     * @param maxQueuedTokens most tokens, prompt and output, of all that wait
     * @param maxChunk most prompt tokens of a step
     * @param context how long sequences may become
     * @param memoryScarce whether the cache should not grow now, though its budget would allow it; asked by one thread
     */
    public record Options(
            int maxConcurrent,
            int maxQueued,
            long maxQueuedTokens,
            int maxChunk,
            ContextLimit context,
            BooleanSupplier memoryScarce) {
        /** With a machine whose memory is never scarce. */
        public Options(int maxConcurrent, int maxQueued, long maxQueuedTokens, int maxChunk, ContextLimit context) {
            this(maxConcurrent, maxQueued, maxQueuedTokens, maxChunk, context, () -> false);
        }
    }

    /** A submitted sequence. */
    @FunctionalInterface
    public interface Ticket {
        /**
         * Drops the sequence before the next step; it fails with code {@code cancelled} unless it has ended.
         * Idempotent.
         */
        void cancel();
    }

    private final Decoder decoder;
    private final Options options;
    private final RankContext.Watcher watcher;
    private final SharedCache cache;
    private final ChunkPolicy policy;
    private final Counters counters = new Counters();
    private final Stepper stepper;
    private final Thread thread;

    private final WaitingRoom waiting;
    private final Reception reception;
    private final List<Sequence> active = new ArrayList<>();
    private final int overlap;
    private final Deque<Flight> flights = new ArrayDeque<>();
    private final Deque<Sequence> preempted = new ArrayDeque<>();
    private boolean busy;
    private String phase = "idle";
    private volatile int activeCount;
    private volatile int keptBlocks;
    private volatile int openSequences;

    /** @param followers get every step's plan before it runs here; nothing to do for a single rank */
    public Scheduler(Decoder decoder, Options options, RankContext.Watcher watcher, Consumer<StepPlan> followers) {
        this(decoder, options, watcher, followers, 1);
    }

    /**
     * @param followers get every step's plan before it runs here
     * @param overlap steps that may be under way at once, each of other sequences: as many as ranks hold consecutive
     *     layers, 1 otherwise
     */
    public Scheduler(
            Decoder decoder, Options options, RankContext.Watcher watcher, Consumer<StepPlan> followers, int overlap) {
        this.overlap = overlap;
        this.decoder = decoder;
        this.options = options;
        this.watcher = watcher;
        this.cache = new SharedCache(decoder, followers, options.memoryScarce());
        this.policy = new ChunkPolicy(options.maxChunk());
        this.stepper = new Stepper(cache, policy, counters);
        this.waiting = new WaitingRoom(options, this::speed);
        this.reception = new Reception(options, decoder.spec().vocab(), waiting, counters);
        this.thread = Thread.ofPlatform().name("scheduler").start(this::loop);
    }

    /**
     * Queues a sequence. A request that cannot be served fails at once, on the calling thread.
     *
     * @return a ticket to cancel it by
     */
    public Ticket submit(Job job) {
        return reception.submit(job);
    }

    /** Tokens per second of a full batch; a guess until steps were measured. */
    private double speed() {
        return policy.stepMillis() == 0 ? 20 : options.maxConcurrent * 1000 / policy.stepMillis();
    }

    private void loop() {
        try {
            while (waiting.awaitWork(this::idle)) {
                dropCancelled();
                admit();
                report(!active.isEmpty());
                step();
            }
            failAll(Problem.of(Kind.INTERNAL, "runner_closed", "the runner was closed"));
        } catch (UncheckedIOException e) {
            LOG.log(System.Logger.Level.ERROR, "a rank is lost: {0}", e.getMessage());
            failAll(Problem.of(
                            Kind.INTERNAL,
                            "instance_lost",
                            "Runner shutdown before completing command (" + e.getMessage() + ")")
                    .retryAfter(Duration.ofSeconds(1)));
            watcher.broken(e.getMessage());
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "the scheduler stopped", e);
            failAll(Problem.of(Kind.INTERNAL, "the engine failed: " + e));
            watcher.broken("the scheduler stopped: " + e);
        } finally {
            cache.close();
        }
    }

    private boolean idle() {
        boolean idle = active.isEmpty() && preempted.isEmpty() && flights.isEmpty();
        if (idle) {
            report(false);
        }
        return idle;
    }

    private void report(boolean nowBusy) {
        activeCount = active.size();
        keptBlocks = cache.keptBlocks();
        openSequences = cache.openSequences();
        if (nowBusy != busy) {
            busy = nowBusy;
            watcher.running(nowBusy);
            if (!nowBusy) {
                enter("idle");
            }
        }
    }

    /** Tells the flight recorder of a change. */
    private void enter(String next) {
        if (!next.equals(phase)) {
            phase = next;
            watcher.phase(next, active.size() + " sequences");
        }
    }

    private void dropCancelled() {
        List<Sequence> dropped = new ArrayList<>(waiting.removeIf(sequence -> sequence.cancelled));
        preempted.stream().filter(sequence -> sequence.cancelled).forEach(dropped::add);
        active.stream().filter(sequence -> sequence.cancelled).forEach(dropped::add);
        Problem cancelled = Problem.of(Kind.CONFLICT, "cancelled", "the request was cancelled");
        for (Sequence sequence : dropped) {
            counters.cancelled.increment();
            remove(sequence);
            sequence.tell(output -> output.failed(cancelled));
        }
    }

    private void admit() {
        while (active.size() < options.maxConcurrent) {
            Optional<Sequence> next = next(false);
            // one sequence always fits: the context limit is at most what the cache holds
            boolean fits = next.isPresent() && (cache.makeRoomFor(next.get()) || active.isEmpty());
            if (!fits) {
                return;
            }
            join(next(true).orElseThrow());
        }
    }

    /** The sequence that is next in turn: those that gave up their place come first. */
    private Optional<Sequence> next(boolean take) {
        if (!preempted.isEmpty()) {
            return Optional.of(take ? preempted.removeFirst() : preempted.getFirst());
        }
        return take ? waiting.poll() : waiting.peek();
    }

    private void join(Sequence sequence) {
        cache.open(sequence);
        active.add(sequence);
        if (sequence.admitted(active.size())) {
            counters.queueWait.observeNanos(sequence.queuedNanos());
            sequence.cachedTokens = Math.min(sequence.computed, sequence.promptTokens());
            counters.cachedTokens.add(sequence.cachedTokens);
            sequence.tell(output -> output.admitted(sequence.promptTokens(), sequence.cachedTokens));
        }
    }

    /** Begins a step of the sequences that wait for none, if one may begin, and finishes the oldest where none may. */
    private void step() {
        List<Share> shares = flights.size() < overlap ? sharesThatFit() : List.of();
        boolean decoding = shares.stream().allMatch(Share::decoding);
        try {
            if (!shares.isEmpty()) {
                enter(decoding ? "decode_stream" : "prefill_stream");
                flights.add(stepper.begin(shares));
            }
            if (flights.size() >= overlap || shares.isEmpty()) {
                finishOldest();
            }
        } catch (CacheFullException e) {
            preempt(active.getLast());
        } catch (UncheckedIOException e) {
            throw e;
        } catch (RuntimeException e) {
            isolate(shares, e);
        }
    }

    /**
     * The next step's shares. Where all that were chosen had to give way, others get the step: without that a sequence
     * that is pushed out before it has computed anything would be let in and chosen again for ever.
     */
    private List<Share> sharesThatFit() {
        List<Share> shares;
        int before;
        do {
            before = active.size();
            shares = fit(stepper.withDrafts(choose()));
        } while (shares.isEmpty() && active.size() < before);
        return shares;
    }

    private void finishOldest() {
        if (!flights.isEmpty()) {
            stepper.finish(flights.remove(), outcome());
        }
    }

    /** With several steps under way each has its part of the sequences, those first that have waited longest. */
    private List<Share> choose() {
        int budget =
                policy.tokens((int) active.stream().filter(Sequence::streaming).count());
        if (overlap == 1) {
            return Shares.of(active, budget, System.nanoTime());
        }
        List<Sequence> ready = active.stream()
                .filter(sequence -> !sequence.awaiting)
                .sorted(Comparator.comparingLong(sequence -> sequence.steppedAt))
                .limit((active.size() + overlap - 1) / overlap)
                .toList();
        return Shares.of(ready, budget, System.nanoTime());
    }

    /** Makes room for the shares: forgets kept blocks, then drafts, then lets the newest sequences wait. */
    private List<Share> fit(List<Share> shares) {
        List<Share> fitting = new ArrayList<>(shares);
        while (!fitting.isEmpty() && !cache.makeRoom(blocks(fitting))) {
            if (fitting.stream().anyMatch(share -> share.drafts().length > 0)) {
                fitting.replaceAll(share -> new Share(share.sequence(), share.count()));
            } else if (active.size() > 1) {
                Sequence newest = active.getLast();
                preempt(newest);
                fitting.removeIf(share -> share.sequence() == newest);
            } else {
                Sequence only = active.getFirst();
                fail(only, Problem.of(Kind.OUT_OF_RESOURCES, "the cache has no room for " + only.length() + " tokens"));
                return List.of();
            }
        }
        return fitting;
    }

    private int blocks(List<Share> shares) {
        return shares.stream()
                .mapToInt(share -> cache.blocksFor(share.sequence(), share.rows()))
                .sum();
    }

    private void preempt(Sequence sequence) {
        counters.preempted.increment();
        cache.close(sequence);
        active.remove(sequence);
        preempted.addFirst(sequence);
    }

    /**
     * A step that was refused untouched is run again share by share, so that only the one at fault fails; one that
     * broke half-way fails whole.
     */
    private void isolate(List<Share> shares, RuntimeException cause) {
        if (shares.size() == 1 || !(cause instanceof IllegalArgumentException)) {
            shares.forEach(share -> failed(share.sequence(), cause));
            return;
        }
        while (!flights.isEmpty()) {
            finishOldest();
        }
        for (Share share : shares) {
            try {
                stepper.run(List.of(share), outcome());
            } catch (UncheckedIOException e) {
                throw e;
            } catch (RuntimeException e) {
                failed(share.sequence(), e);
            }
        }
    }

    private Stepper.Outcome outcome() {
        return new Stepper.Outcome() {
            @Override
            public void ended(Sequence sequence, End end) {
                counters.finished.increment();
                Tally tally = sequence.tally(options.maxConcurrent > 1);
                remove(sequence);
                sequence.tell(output -> output.ended(end, tally));
            }

            @Override
            public void failed(Sequence sequence, RuntimeException cause) {
                Scheduler.this.failed(sequence, cause);
            }
        };
    }

    private void failed(Sequence sequence, RuntimeException cause) {
        LOG.log(System.Logger.Level.WARNING, "a request failed", cause);
        Problem problem = cause instanceof SkulkException known
                ? known.problem()
                : Problem.of(Kind.INTERNAL, "the engine failed on this request: " + cause.getMessage());
        fail(sequence, problem);
    }

    private void fail(Sequence sequence, Problem problem) {
        counters.failed.increment();
        remove(sequence);
        sequence.tell(output -> output.failed(problem));
    }

    private void remove(Sequence sequence) {
        cache.close(sequence);
        active.remove(sequence);
        activeCount = active.size();
        preempted.remove(sequence);
        sequence.stopDrafting();
    }

    private void failAll(Problem problem) {
        List<Sequence> all = new ArrayList<>(active);
        all.addAll(preempted);
        waiting.close();
        all.addAll(waiting.removeIf(sequence -> true));
        for (Sequence sequence : all) {
            sequence.tell(output -> output.failed(problem));
        }
    }

    /** Levels, counters and histograms: queue, batch, cache, speeds, waiting times. Any thread. */
    public JsonObject report() {
        int total = decoder.cache().totalBlocks();
        JsonObject histograms = JsonObject.builder()
                .put("queueWait", counters.queueWait.toJson())
                .put("firstToken", counters.firstToken.toJson())
                .put("betweenTokens", counters.betweenTokens.toJson())
                .put("batch", counters.batch.toJson())
                .build();
        return levels(total).put("histograms", histograms).build();
    }

    private JsonObject.Builder levels(int total) {
        return JsonObject.builder()
                .put("queued", waiting.size())
                .put("queuedTokens", waiting.tokens())
                .put("active", activeCount)
                .put("openSequences", openSequences)
                .put("maxConcurrent", options.maxConcurrent)
                .put("contextLimit", options.context.tokens())
                .put("cacheBlocks", total)
                .put("cacheBlocksFree", decoder.cache().freeBlocks())
                .put("cacheBlocksKept", keptBlocks)
                .put("cacheBytes", decoder.cache().usedBytes())
                .put("steps", counters.steps.sum())
                .put("promptTokens", counters.promptTokens.sum())
                .put("cachedTokens", counters.cachedTokens.sum())
                .put("outputTokens", counters.outputTokens.sum())
                .put("acceptedDrafts", counters.acceptedDrafts.sum())
                .put("rejectedDrafts", counters.rejectedDrafts.sum())
                .put("finished", counters.finished.sum())
                .put("failed", counters.failed.sum())
                .put("cancelled", counters.cancelled.sum())
                .put("overloaded", counters.overloaded.sum())
                .put("preempted", counters.preempted.sum())
                .put("prefillTokensPerSecond", policy.prefillSpeed())
                .put("stepMillis", policy.stepMillis());
    }

    /** Fails what waits and what runs, and ends the thread; the step under way is completed. Idempotent. */
    @Override
    public void close() {
        waiting.close();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
