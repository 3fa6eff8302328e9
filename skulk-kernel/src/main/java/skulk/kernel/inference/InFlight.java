package skulk.kernel.inference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.TaskId;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.problem.Problem;

/**
 * One generation between a rank and the client that reads it. Events come from one side at a time and never wait; a reader that does not keep up with a full queue
 * of them ends the generation.
 */
final class InFlight implements Inference.Generating {
    private static final int QUEUE = 8192;

    private final GenerationRequest request;
    private final Instance instance;
    private final TaskId task = TaskId.random();
    private final Duration stall;
    private final Consumer<InFlight> cancel;
    private final Consumer<Told> told;
    private final BlockingQueue<GenerationEvent> queue = new ArrayBlockingQueue<>(QUEUE + 1);
    private final List<Integer> committed = new ArrayList<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private final long startedAt = System.nanoTime();
    private volatile long lastEvent = startedAt;
    private volatile boolean streaming;

    /** An event with the request it belongs to, for whoever keeps accounts. */
    record Told(InFlight request, GenerationEvent event) {}

    /**
     * @param stall longest silence after the first token
     * @param cancel tells the rank to drop the request
     * @param told hears of every event, before the reader does
     */
    InFlight(
            GenerationRequest request,
            Instance instance,
            Duration stall,
            Consumer<InFlight> cancel,
            Consumer<Told> told) {
        this.request = request;
        this.instance = instance;
        this.stall = stall;
        this.cancel = cancel;
        this.told = told;
        this.committed.addAll(request.committed());
    }

    GenerationRequest request() {
        return request;
    }

    CommandId command() {
        return request.commandId();
    }

    Instance instance() {
        return instance;
    }

    TaskId task() {
        return task;
    }

    long startedAt() {
        return startedAt;
    }

    boolean ended() {
        return ended.get();
    }

    /** What the client has been told so far, as tokens: enough to go on elsewhere. */
    synchronized List<Integer> committed() {
        return List.copyOf(committed);
    }

    /** An event from the rank; after the last one nothing is taken any more. */
    void accept(GenerationEvent event) {
        boolean last = event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed;
        if (last ? !ended.compareAndSet(false, true) : ended.get()) {
            return;
        }
        lastEvent = System.nanoTime();
        if (event instanceof GenerationEvent.Committed(List<Integer> tokens)) {
            synchronized (this) {
                committed.addAll(tokens);
            }
        }
        streaming |= event instanceof GenerationEvent.Text || event instanceof GenerationEvent.ToolCallDelta;
        told.accept(new Told(this, event));
        if (last) {
            queue.add(event); // one place is kept for it
        } else if (queue.size() >= QUEUE) {
            cancel.accept(this);
            fail(Problem.of(
                    Problem.Kind.OVERLOADED, "slow_client", "The client reads too slowly; the answer was given up"));
        } else {
            queue.add(event);
        }
    }

    /** Ends it from this side. */
    void fail(Problem problem) {
        accept(new GenerationEvent.Failed(problem));
    }

    @Override
    public Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
        long wait = patience.toNanos();
        if (streaming && !ended.get()) {
            wait = Math.min(wait, Math.max(0, lastEvent + stall.toNanos() - System.nanoTime()));
        }
        GenerationEvent event = queue.poll(wait, TimeUnit.NANOSECONDS);
        if (event == null && streaming && System.nanoTime() - lastEvent >= stall.toNanos() && !ended.get()) {
            cancel.accept(this);
            fail(Problem.of(
                    Problem.Kind.INTERNAL,
                    "stalled",
                    "Stream stalled: no output for %ds; the response may be incomplete.".formatted(stall.toSeconds())));
            event = queue.poll();
        }
        return Optional.ofNullable(event);
    }

    @Override
    public void close() {
        if (!ended.get()) {
            cancel.accept(this);
            fail(Problem.of(Problem.Kind.INTERNAL, "cancelled", "The request was cancelled"));
        }
    }
}
