package skulk.kernel.rank;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.Json;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * One rank on this node as its host knows it: where it is in its life, what it is working on, when it last gave a sign of life. Safe for use by several threads.
 */
final class Rank {
    private final RankSpec spec;
    private final FlightRecorder recorder = new FlightRecorder();
    private final Map<CommandId, Consumer<GenerationEvent>> inFlight = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<Json>> calls = new ConcurrentHashMap<>();
    private final AtomicLong completed = new AtomicLong();
    private volatile RankProcess process;
    private volatile RunnerStatus status = new RunnerStatus.RunnerIdle();
    private volatile Instant statusSince = Instant.now();
    private volatile long deadline = Long.MAX_VALUE;
    private volatile long lastPulse = System.nanoTime();
    private volatile long lastProgress = System.nanoTime();
    private volatile long steps;
    private volatile String waiting = "";
    private volatile boolean loadOrdered;
    private volatile boolean connectOrdered;
    private volatile boolean stopping;
    private volatile boolean up;
    private volatile Optional<FromRank.Listening> endpoint = Optional.empty();

    Rank(RankSpec spec) {
        this.spec = spec;
        recorder.milestone(Instant.now(), "created", "");
    }

    RankSpec spec() {
        return spec;
    }

    FlightRecorder recorder() {
        return recorder;
    }

    RankProcess process() {
        return process;
    }

    void process(RankProcess started, Duration firstReport) {
        process = started;
        deadlineIn(firstReport);
    }

    RunnerStatus status() {
        return status;
    }

    Instant statusSince() {
        return statusSince;
    }

    /** Sets the status; false where it is the same as before. */
    boolean status(RunnerStatus next) {
        RunnerStatus before = status;
        status = next;
        if (before.equals(next)) {
            return false;
        }
        progressed();
        if (!before.getClass().equals(next.getClass())) {
            statusSince = Instant.now();
            recorder.milestone(statusSince, next.getClass().getSimpleName(), "");
        }
        return true;
    }

    boolean up() {
        return up;
    }

    /** Notes that the process takes orders; false where it was noted before. */
    boolean comesUp() {
        boolean before = up;
        up = true;
        return !before;
    }

    boolean loadOrdered() {
        return loadOrdered;
    }

    void orderLoad() {
        loadOrdered = true;
        process.send(new ToRank.Load());
    }

    boolean connectOrdered() {
        return connectOrdered;
    }

    void orderConnect(List<ToRank.Peer> peers) {
        connectOrdered = true;
        process.send(new ToRank.Connect(peers));
    }

    boolean stopping() {
        return stopping;
    }

    /** @param why what its requests fail with */
    void stop(Problem why) {
        stopping = true;
        deadline = Long.MAX_VALUE;
        failAll(why);
        process.stop();
    }

    static Problem deleted() {
        return new Problem(
                Problem.Kind.INTERNAL,
                "instance_deleted",
                "The request was cancelled because its instance was deleted",
                List.of(),
                Optional.empty());
    }

    Optional<FromRank.Listening> endpoint() {
        return endpoint;
    }

    void endpoint(FromRank.Listening listening) {
        endpoint = Optional.of(listening);
    }

    // ---- signs of life

    void deadlineIn(Duration time) {
        deadline = System.nanoTime() + time.toNanos();
    }

    void noDeadline() {
        deadline = Long.MAX_VALUE;
    }

    boolean overdue(long now) {
        return deadline != Long.MAX_VALUE && now - deadline > 0;
    }

    void pulse(FromRank.Pulse pulse) {
        lastPulse = System.nanoTime();
        waiting = pulse.waiting();
        if (pulse.steps() != steps) {
            steps = pulse.steps();
            progressed();
        }
    }

    void progressed() {
        lastProgress = System.nanoTime();
    }

    Duration silentFor(long now) {
        return Duration.ofNanos(now - lastPulse);
    }

    Duration stuckFor(long now) {
        return inFlight.isEmpty() ? Duration.ZERO : Duration.ofNanos(now - lastProgress);
    }

    String waiting() {
        return waiting;
    }

    // ---- requests

    void submit(GenerationRequest request, Consumer<GenerationEvent> events) {
        if (inFlight.isEmpty()) {
            progressed(); // idle time is not time without progress
        }
        inFlight.put(request.commandId(), events);
        process.send(new ToRank.Submit(request));
        if (!process.alive()) {
            fail(request.commandId(), lost("the rank process has ended"));
        }
    }

    boolean cancel(CommandId command) {
        if (!inFlight.containsKey(command)) {
            return false;
        }
        recorder.phase(Instant.now(), "cancel_requested", command.value());
        process.send(new ToRank.Cancel(command));
        return true;
    }

    void events(FromRank.Events frame) {
        progressed();
        Consumer<GenerationEvent> consumer = inFlight.get(frame.command());
        if (consumer == null) {
            return;
        }
        for (GenerationEvent event : frame.events()) {
            if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                inFlight.remove(frame.command());
                completed.incrementAndGet();
            }
            consumer.accept(event);
        }
    }

    private void fail(CommandId command, Problem problem) {
        Consumer<GenerationEvent> consumer = inFlight.remove(command);
        if (consumer != null) {
            consumer.accept(new GenerationEvent.Failed(problem));
        }
    }

    /** Ends everything under way with a failure. */
    void failAll(Problem problem) {
        List.copyOf(inFlight.keySet()).forEach(command -> fail(command, problem));
        List.copyOf(calls.keySet()).forEach(call -> {
            CompletableFuture<Json> waiting = calls.remove(call);
            if (waiting != null) {
                waiting.completeExceptionally(new SkulkException(problem));
            }
        });
    }

    static Problem lost(String cause) {
        return new Problem(
                Problem.Kind.INTERNAL,
                "instance_lost",
                "Runner shutdown before completing command (" + cause + ")",
                List.of(),
                Optional.of(Duration.ofSeconds(1)));
    }

    CompletableFuture<Json> call(long number, LongFunction<ToRank> frame) {
        CompletableFuture<Json> answer = new CompletableFuture<>();
        calls.put(number, answer);
        process.send(frame.apply(number));
        if (!process.alive()) {
            answer.completeExceptionally(new SkulkException(lost("the rank process has ended")));
        }
        return answer;
    }

    void answer(FromRank.Answer frame) {
        progressed();
        CompletableFuture<Json> waiting = calls.remove(frame.call());
        if (waiting != null) {
            frame.problem()
                    .ifPresentOrElse(
                            problem -> waiting.completeExceptionally(new SkulkException(problem)),
                            () -> waiting.complete(frame.body()));
        }
    }

    List<CommandId> inFlight() {
        return List.copyOf(inFlight.keySet());
    }

    long completed() {
        return completed.get();
    }
}
