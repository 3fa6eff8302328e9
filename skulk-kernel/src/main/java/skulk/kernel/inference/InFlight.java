package skulk.kernel.inference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import skulk.api.Inference;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.TaskId;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Committed;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Prefill;
import skulk.api.generation.GenerationRequest;
import skulk.api.problem.Problem;

/**
 * One generation between ranks and the client that reads it. Events never wait; a reader that does not keep up with a full queue of them ends the generation.
 *
 * <p>It runs in attempts: where its instance is lost it may wait for another one and go on there after the tokens that the client has seen ({@link #lose},
 * {@link #resume}). Text is handed on together with the tokens it was made of, so that nothing is shown twice; events of an attempt that is over are dropped.
 */
final class InFlight implements Inference.Generating {
    private static final int QUEUE = 8192;

    private final GenerationRequest request;
    private final Duration stall;
    private final Host host;
    private final BlockingQueue<GenerationEvent> queue = new ArrayBlockingQueue<>(QUEUE + 1);
    private final long startedAt = System.nanoTime();
    private final List<Integer> committed = new ArrayList<>();
    private final List<GenerationEvent> held = new ArrayList<>();
    private volatile Phase phase = Phase.RUNNING;
    private volatile Instance instance;
    private volatile TaskId task = TaskId.random();
    private volatile long lastEvent = startedAt;
    private volatile boolean streaming;
    private int attempt = 1;
    private Optional<Accepted> accepted = Optional.empty();
    /** The runner tells which tokens its text was made of; text without that cannot be repeated elsewhere. */
    private boolean commits;

    private boolean loose;
    private Problem loss;
    private long lostAt;
    private boolean lossSeen;
    /** When its rank's node was heard last, with an event or without. */
    private volatile long heard = startedAt;

    private enum Phase {
        RUNNING,
        /** Its ranks are being told to drop it; it goes on nowhere before they are, for they could not tell its attempts apart. */
        LOST,
        WAITING,
        ENDED
    }

    /** What a generation asks of its dispatcher; no method waits. */
    interface Host {
        /** Tells the ranks of its present attempt to drop it. */
        void cancel(InFlight request);

        /** Every event, before the reader gets it. */
        void told(Told told);

        /** Whether a request whose instance was lost may wait for another one. @param attempt the one that is over */
        boolean recoverable(InFlight request, int attempt);

        /** It waits. */
        void waits(InFlight request);

        /** Its task ended with its instance; it goes on under another one, once it does. */
        void interrupted(InFlight request, Problem loss);
    }

    /** An event with the request it belongs to, for whoever keeps accounts. */
    record Told(InFlight request, GenerationEvent event) {}

    /** @param stall longest silence after the first token */
    InFlight(GenerationRequest request, Instance instance, Duration stall, Host host) {
        this.request = request;
        this.instance = instance;
        this.stall = stall;
        this.host = host;
        this.committed.addAll(request.committed());
    }

    GenerationRequest request() {
        return request;
    }

    CommandId command() {
        return request.commandId();
    }

    /** Where it runs, or ran last. */
    Instance instance() {
        return instance;
    }

    /** The task of the present attempt. */
    TaskId task() {
        return task;
    }

    long startedAt() {
        return startedAt;
    }

    boolean waiting() {
        return phase == Phase.WAITING;
    }

    /** How long it has waited for another instance. */
    synchronized Duration waited() {
        return phase == Phase.WAITING ? Duration.ofNanos(System.nanoTime() - lostAt) : Duration.ZERO;
    }

    /** Whether this view or an earlier one has shown the loss, so that a view in which the instance serves means that it does so again. */
    synchronized boolean lossSeen(ClusterView now) {
        lossSeen |= Recovery.broken(now, instance) || !now.serving(instance);
        return lossSeen;
    }

    /** The attempt under way, empty where none is. */
    synchronized OptionalInt attempt() {
        return phase == Phase.RUNNING ? OptionalInt.of(attempt) : OptionalInt.empty();
    }

    // ---- loss

    /** The instance that an attempt runs on is lost: the request waits for another one, or ends. */
    void lose(int lost, Problem problem) {
        synchronized (this) {
            if (phase != Phase.RUNNING || lost != attempt) {
                return;
            }
            loss = problem;
            lostAt = System.nanoTime();
            lossSeen = false;
            if (loose || !host.recoverable(this, attempt)) {
                end(new Failed(problem));
                return;
            }
            phase = Phase.LOST;
            held.clear(); // made again from the tokens before it
        }
        host.interrupted(this, problem);
        synchronized (this) {
            if (phase != Phase.LOST) {
                return; // closed meanwhile
            }
            phase = Phase.WAITING;
        }
        host.waits(this);
    }

    /** Begins another attempt; empty where it does not wait (any more). @return the request to hand over, and the attempt's number */
    synchronized Optional<Attempt> resume(Instance next) {
        if (phase != Phase.WAITING) {
            return Optional.empty();
        }
        phase = Phase.RUNNING;
        instance = next;
        task = TaskId.random();
        lastEvent = System.nanoTime();
        heard = lastEvent;
        return Optional.of(new Attempt(++attempt, request.after(committed)));
    }

    /** @param number tells its events from those of earlier ones */
    record Attempt(int number, GenerationRequest request) {}

    /** Ends a wait that has been in vain. */
    synchronized void giveUp() {
        if (phase == Phase.WAITING) {
            end(new Failed(loss));
        }
    }

    /** Its rank's node is there and works on it, or this one could not have heard whether it is. */
    void heard() {
        heard = System.nanoTime();
    }

    Duration unheard(long now) {
        return Duration.ofNanos(now - heard);
    }

    // ---- events

    /** An event of an attempt; after the last one, and of an attempt that is over, nothing is taken. */
    void accept(int from, GenerationEvent event) {
        if (event instanceof Failed(Problem problem) && problem.code().equals(Dispatcher.LOST)) {
            lose(from, problem);
            return;
        }
        synchronized (this) {
            if (phase == Phase.RUNNING && from == attempt) {
                take(event);
            }
        }
    }

    private void take(GenerationEvent event) {
        lastEvent = System.nanoTime();
        heard = lastEvent;
        switch (event) {
            case Accepted first -> {
                if (accepted.isEmpty()) {
                    accepted = Optional.of(first);
                    hand(first);
                }
            }
            case Prefill prefill -> {
                if (attempt == 1) {
                    hand(prefill);
                }
            }
            case GenerationEvent.Text text -> output(text);
            case GenerationEvent.ToolCallDelta delta -> output(delta);
            case Committed(List<Integer> tokens) -> {
                commits = true;
                loose = false;
                committed.addAll(tokens);
                release();
                hand(event);
            }
            case Finished finished -> {
                release();
                end(asOfFirstAttempt(finished));
            }
            case Failed failed -> {
                release();
                end(failed);
            }
        }
    }

    private void output(GenerationEvent event) {
        if (commits) {
            held.add(event);
        } else {
            loose = true;
            streaming = true;
            hand(event);
        }
    }

    private void release() {
        streaming |= !held.isEmpty();
        held.forEach(this::hand);
        held.clear();
    }

    /** What was cached of the prompt where the request began is what the client has been told. */
    private Finished asOfFirstAttempt(Finished finished) {
        GenerationEvent.Usage usage = finished.usage();
        return new Finished(
                finished.reason(),
                finished.stopSequence(),
                new GenerationEvent.Usage(
                        usage.promptTokens(),
                        usage.completionTokens(),
                        attempt == 1
                                ? usage.cachedTokens()
                                : accepted.map(Accepted::cachedTokens).orElse(0),
                        usage.reasoningTokens(),
                        usage.acceptedDraft(),
                        usage.rejectedDraft()),
                finished.stats());
    }

    private void hand(GenerationEvent event) {
        if (phase == Phase.ENDED) {
            return;
        }
        if (queue.size() >= QUEUE) {
            host.cancel(this);
            end(new Failed(Problem.of(
                    Problem.Kind.OVERLOADED, "slow_client", "The client reads too slowly; the answer was given up")));
            return;
        }
        host.told(new Told(this, event));
        queue.add(event);
    }

    private void end(GenerationEvent last) {
        if (phase != Phase.ENDED) {
            phase = Phase.ENDED;
            host.told(new Told(this, last));
            queue.add(last); // one place is kept for it
        }
    }

    /** Ends it from this side. */
    synchronized void fail(Problem problem) {
        end(new Failed(problem));
    }

    // ---- the reader

    @Override
    public Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
        long wait = patience.toNanos();
        if (stalls()) {
            wait = Math.min(wait, Math.max(0, lastEvent + stall.toNanos() - System.nanoTime()));
        }
        GenerationEvent event = queue.poll(wait, TimeUnit.NANOSECONDS);
        if (event == null && waiting()) {
            host.waits(this); // a wait has its bounds, also where nothing changes in the cluster
            event = queue.poll();
        } else if (event == null && stalls() && System.nanoTime() - lastEvent >= stall.toNanos()) {
            host.cancel(this);
            fail(Problem.of(
                    Problem.Kind.INTERNAL,
                    "stalled",
                    "Stream stalled: no output for %ds; the response may be incomplete.".formatted(stall.toSeconds())));
            event = queue.poll();
        }
        return Optional.ofNullable(event);
    }

    private boolean stalls() {
        return streaming && phase == Phase.RUNNING;
    }

    @Override
    public void close() {
        if (phase != Phase.ENDED) {
            host.cancel(this);
            fail(Problem.of(Problem.Kind.INTERNAL, "cancelled", "The request was cancelled"));
        }
    }
}
