package skulk.kernel.rank;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerConnecting;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.RunnerStatus.RunnerLoading;
import skulk.api.cluster.RunnerStatus.RunnerWarmingUp;
import skulk.api.cluster.Shard;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.Json;
import skulk.kernel.rank.RankSpec.Deadlines;
import skulk.kernel.rank.RankSpec.Launch;

/**
 * The ranks of this node: starts their processes, keeps their deadlines, notices crashes and silence, hands requests in and events out. Safe for use by several
 * threads; no method waits for a rank except {@link #close}.
 */
public final class RankHost implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(RankHost.class.getName());
    private static final Duration WATCH = Duration.ofMillis(250);

    private final Supplier<Launch> launch;
    private final Listener listener;
    private final CrashBreaker breaker = new CrashBreaker();
    private final Map<RunnerId, Rank> ranks = new ConcurrentHashMap<>();
    private final AtomicLong calls = new AtomicLong();
    private long watchedAt = System.nanoTime(); // of the watching thread
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("rank-watch").daemon().factory());

    /** What the ranks of a node tell it. Called from any thread, never waits. */
    public interface Listener {
        void status(RunnerId runner, RunnerStatus status);

        /** A rank waits for the others of its instance. */
        void listening(RankSpec spec, FromRank.Listening endpoint);

        /** A rank has ended and has no record any more; whether there should be one is to be planned again. */
        void ended(RankSpec spec);

        /** An instance crashed too often; it must go. */
        void brokenDown(RankSpec spec, String reason);
    }

    public RankHost(Supplier<Launch> launch, Listener listener) {
        this.launch = launch;
        this.listener = listener;
        watch.scheduleWithFixedDelay(this::watch, WATCH.toMillis(), WATCH.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Starts a rank's process unless there is one. A failure to start is a failure of the rank. */
    public void create(RankSpec spec) {
        Rank rank = new Rank(spec);
        if (ranks.putIfAbsent(spec.runner(), rank) != null) {
            return;
        }
        Launch how = launch.get();
        synchronized (rank) { // the first word may come before the process is noted
            try {
                RankProcess process = RankProcess.start(how, spec, options(spec), new Ears(rank, how));
                rank.process(process, how.deadlines().firstReport());
            } catch (IOException e) {
                ranks.remove(spec.runner(), rank);
                LOG.log(System.Logger.Level.ERROR, "{0}: cannot start its process: {1}", spec.label(), e.getMessage());
                listener.status(spec.runner(), new RunnerFailed("Cannot start the rank process: " + e.getMessage()));
                failure(spec, e.getMessage());
            }
        }
    }

    /** Notes that a rank must not start here: it is failed, without a process, until it is stopped. */
    public void refuse(RankSpec spec, String reason) {
        Rank rank = new Rank(spec);
        if (ranks.putIfAbsent(spec.runner(), rank) == null) {
            LOG.log(System.Logger.Level.WARNING, "{0} is not started: {1}", spec.label(), reason);
            rank.status(new RunnerFailed(reason));
            listener.status(spec.runner(), rank.status());
        }
    }

    /** Shards whose ranks are about to end, and whose memory is about to come back. */
    public List<Shard> ending() {
        return ranks.values().stream()
                .filter(Rank::stopping)
                .map(rank -> rank.spec().shard())
                .toList();
    }

    /** The heap holds tokenizer, requests and buffers; weights and caches lie outside of it. */
    private static List<String> options(RankSpec spec) {
        String heap = spec.settings().getOrDefault("heap_bytes", "");
        return heap.isEmpty()
                ? List.of("-XX:+ExitOnOutOfMemoryError")
                : List.of("-Xmx" + heap, "-XX:+ExitOnOutOfMemoryError");
    }

    /** Tells a rank where the others listen. */
    public void connect(RunnerId runner, List<ToRank.Peer> peers) {
        find(runner).ifPresent(rank -> rank.orderConnect(peers));
    }

    public void load(RunnerId runner) {
        find(runner).ifPresent(Rank::orderLoad);
    }

    /**
     * Ends a rank; its requests fail at once.
     *
     * @param lost because a rank it works with was lost or its instance given up, so that its requests may go on elsewhere; else somebody deleted it
     */
    public void stop(RunnerId runner, boolean lost) {
        Rank rank = ranks.get(runner);
        if (rank == null) {
            return;
        }
        breaker.forget(rank.spec().instance().instanceId());
        if (rank.process() == null || !rank.process().alive()) {
            ranks.remove(runner, rank);
        } else if (!rank.stopping()) {
            listener.status(runner, new RunnerStatus.RunnerShuttingDown());
            rank.stop(lost ? Rank.lost("its instance or another rank of it was lost") : Rank.deleted());
        }
    }

    /** What planning needs to know. */
    public List<LocalRank> local() {
        return ranks.values().stream()
                .map(r -> new LocalRank(
                        r.spec().runner(),
                        r.spec().instance().instanceId(),
                        r.stopping() ? new RunnerStatus.RunnerShuttingDown() : r.status(),
                        r.up(),
                        r.connectOrdered(),
                        r.loadOrdered(),
                        r.endpoint().isPresent()))
                .toList();
    }

    // ---- requests

    /**
     * Hands a request to rank 0 of an instance; every outcome arrives as an event.
     *
     * @return false where no such rank is here and serving
     */
    public boolean submit(InstanceId instance, GenerationRequest request, Consumer<GenerationEvent> events) {
        Optional<Rank> rank = leader(instance);
        rank.ifPresent(r -> r.submit(request, events));
        return rank.isPresent();
    }

    /** Cancels a request of whatever rank has it; false where none has. */
    public boolean cancel(CommandId command) {
        return ranks.values().stream().anyMatch(rank -> rank.cancel(command));
    }

    /** Embeds; empty where no such rank is here and serving. */
    public Optional<CompletableFuture<Json>> embed(InstanceId instance, EmbeddingRequest request) {
        return call(instance, number -> new ToRank.Embed(number, request));
    }

    public Optional<CompletableFuture<Json>> countTokens(InstanceId instance, GenerationRequest request) {
        return call(instance, number -> new ToRank.Count(number, request));
    }

    /** The engine's own report, for diagnostics. */
    public Optional<CompletableFuture<Json>> report(RunnerId runner) {
        return find(runner).map(rank -> rank.call(calls.incrementAndGet(), ToRank.Report::new));
    }

    private Optional<CompletableFuture<Json>> call(InstanceId instance, LongFunction<ToRank> frame) {
        return leader(instance).map(rank -> rank.call(calls.incrementAndGet(), frame));
    }

    private Optional<Rank> leader(InstanceId instance) {
        return ranks.values().stream()
                .filter(r -> r.spec().instance().instanceId().equals(instance)
                        && r.spec().shard().deviceRank() == 0
                        && r.status().serving()
                        && !r.stopping())
                .findFirst();
    }

    private Optional<Rank> find(RunnerId runner) {
        return Optional.ofNullable(ranks.get(runner)).filter(r -> r.process() != null);
    }

    /** For diagnostics. */
    public Collection<RankReport> reports() {
        return ranks.values().stream()
                .filter(r -> r.process() != null)
                .map(RankReport::of)
                .toList();
    }

    /** Ranks that serve but have not shown life or progress for so long. */
    public List<String> stuck(Duration limit) {
        long now = System.nanoTime();
        return ranks.values().stream()
                .filter(r -> r.status().serving() && r.silentFor(now).compareTo(limit) > 0)
                .map(r -> r.spec().label() + " gives no sign of life")
                .toList();
    }

    // ---- watching

    private void watch() {
        try {
            long now = System.nanoTime();
            boolean slept = now - watchedAt > 4 * WATCH.toNanos();
            watchedAt = now;
            if (slept) {
                return; // this process stood still itself: what the ranks said meanwhile is read first
            }
            ranks.values().stream()
                    .filter(r -> r.process() != null && !r.stopping())
                    .forEach(rank -> watch(rank, now));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "watching ranks", e);
        }
    }

    private void watch(Rank rank, long now) {
        Deadlines deadlines = launch.get().deadlines();
        if (rank.overdue(now)) {
            rank.noDeadline();
            kill(rank, missed(rank.status(), deadlines));
        } else if (rank.status().serving() && rank.silentFor(now).compareTo(deadlines.silence()) > 0) {
            kill(
                    rank,
                    "No sign of life for %.1f s".formatted(rank.silentFor(now).toMillis() / 1e3));
        } else if (rank.stuckFor(now).compareTo(deadlines.step()) > 0) {
            String waiting = rank.waiting().isEmpty() ? "" : "; it " + rank.waiting();
            kill(
                    rank,
                    "No step completed for %d s%s".formatted(rank.stuckFor(now).toSeconds(), waiting));
        }
    }

    private static String missed(RunnerStatus status, Deadlines deadlines) {
        return switch (status) {
            case RunnerConnecting c ->
                "Ranks did not connect within %d s"
                        .formatted(deadlines.connect().toSeconds());
            case RunnerLoading l ->
                "Loading made no progress for %d s".formatted(deadlines.load().toSeconds());
            case RunnerWarmingUp w ->
                "Warm-up ran over its deadline of %d s and the process did not end by itself: the device may be wedged"
                        .formatted(deadlines.warmup().toSeconds());
            default ->
                "No report within %d s of its start"
                        .formatted(deadlines.firstReport().toSeconds());
        };
    }

    private void kill(Rank rank, String why) {
        LOG.log(
                System.Logger.Level.ERROR,
                "{0} (pid {1,number,#}): {2}; killing it",
                rank.spec().label(),
                rank.process().pid(),
                why);
        rank.recorder().phase(Instant.now(), "error", why);
        rank.failAll(Rank.lost(why));
        rank.process().kill(why);
    }

    private void heard(Rank rank, Launch how, FromRank frame) {
        switch (frame) {
            case FromRank.Hello hello -> {
                rank.noDeadline();
                rank.process().send(begin(rank.spec(), how));
            }
            case FromRank.Listening listening -> {
                rank.endpoint(listening);
                listener.listening(rank.spec(), listening);
            }
            case FromRank.Status(RunnerStatus status) -> status(rank, how.deadlines(), status);
            case FromRank.Phase(Instant at, String phase, String detail) -> {
                rank.recorder().phase(at, phase, detail);
                rank.progressed();
            }
            case FromRank.Events events -> rank.events(events);
            case FromRank.Answer answer -> rank.answer(answer);
            case FromRank.Pulse pulse -> rank.pulse(pulse);
            case FromRank.Broken(String reason) -> rank.recorder().phase(Instant.now(), "error", reason);
        }
    }

    private static ToRank.Begin begin(RankSpec spec, Launch how) {
        Map<String, String> companions = new HashMap<>();
        spec.files().companions().forEach((id, folder) -> companions.put(id, folder.toString()));
        List<ToRank.Part> parts = spec.files().partial().values().stream()
                .map(p -> new ToRank.Part(p.location().toString(), p.present()))
                .toList();
        Map<String, String> settings = new HashMap<>(spec.settings());
        settings.put(
                "warmup_deadline_millis", Long.toString(how.deadlines().warmup().toMillis()));
        settings.put(
                "connect_deadline_millis",
                Long.toString(how.deadlines().connect().toMillis()));
        return new ToRank.Begin(
                spec.instance(),
                spec.shard(),
                spec.files().folder().toString(),
                parts,
                companions,
                settings,
                how.plugins().stream().map(Path::toString).toList(),
                how.sections(),
                how.home().toString());
    }

    private void status(Rank rank, Deadlines deadlines, RunnerStatus status) {
        if (rank.status() instanceof RunnerFailed) {
            return; // its last word, whatever it says while it ends
        }
        boolean fresh = rank.status(status) | rank.comesUp();
        if (rank.stopping() || !fresh) {
            return;
        }
        switch (status) {
            case RunnerConnecting c -> rank.deadlineIn(deadlines.connect().plus(Deadlines.GRACE));
            case RunnerLoading l -> rank.deadlineIn(deadlines.load());
            case RunnerWarmingUp w -> rank.deadlineIn(deadlines.warmup().plus(Deadlines.GRACE));
            default -> rank.noDeadline();
        }
        listener.status(rank.spec().runner(), status);
        if (status instanceof RunnerFailed(String why)) {
            LOG.log(System.Logger.Level.ERROR, "{0} failed: {1}", rank.spec().label(), why);
            rank.process().stop(); // frees its memory; the record stays, so that it is not tried again
        }
    }

    private void exited(Rank rank, Exit exit) {
        RankSpec spec = rank.spec();
        if (rank.stopping()) {
            ranks.remove(spec.runner(), rank);
            listener.status(spec.runner(), new RunnerStatus.RunnerShutdown());
            listener.ended(spec);
            return;
        }
        if (rank.status() instanceof RunnerFailed) {
            return; // it told so itself before
        }
        boolean wedged = exit.wedged()
                || (rank.status() instanceof RunnerWarmingUp && exit.reason().isPresent());
        rank.failAll(Rank.lost(exit.text()));
        rank.status(new RunnerFailed(exit.text()));
        LOG.log(
                System.Logger.Level.ERROR,
                "{0} ended: {1}\n{2}",
                spec.label(),
                exit.text(),
                String.join("\n", rank.process().output()));
        listener.status(spec.runner(), new RunnerFailed(exit.text()));
        if (!wedged) {
            ranks.remove(spec.runner(), rank);
            failure(spec, exit.text());
        }
    }

    private void failure(RankSpec spec, String why) {
        if (breaker.failed(spec.instance().instanceId(), System.nanoTime())) {
            breaker.forget(spec.instance().instanceId());
            listener.brokenDown(spec, why);
        } else {
            listener.ended(spec);
        }
    }

    /** Ends all ranks; returns when their processes are gone. */
    @Override
    public void close() {
        watch.shutdownNow();
        CountDownLatch gone = new CountDownLatch(ranks.size());
        for (Rank rank : ranks.values()) {
            if (rank.process() == null) {
                gone.countDown();
                continue;
            }
            rank.process().onExit(p -> gone.countDown());
            if (!rank.stopping()) {
                rank.stop(Rank.lost("the node stops"));
            }
        }
        try {
            gone.await(3 * launch.get().deadlines().escalation().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Ears implements RankProcess.Listener {
        private final Rank rank;
        private final Launch how;

        Ears(Rank rank, Launch how) {
            this.rank = rank;
            this.how = how;
        }

        @Override
        public void heard(FromRank frame) {
            synchronized (rank) {
                RankHost.this.heard(rank, how, frame);
            }
        }

        @Override
        public void exited(Exit exit) {
            synchronized (rank) {
                RankHost.this.exited(rank, exit);
            }
        }
    }
}
