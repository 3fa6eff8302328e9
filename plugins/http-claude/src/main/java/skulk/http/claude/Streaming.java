package skulk.http.claude;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import skulk.api.Inference;
import skulk.api.dialect.LiveGeneration;
import skulk.api.dialect.LiveStream;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.problem.Problem;

/**
 * Runs a generation and relays what it tells, as a stream or whole. Safe for use by several threads.
 *
 * <p>A stream commits to status 200 with its first byte. A generation that fails within {@link #COMMIT} is still answered with its real status; one that
 * fails later gets an error event. The wait is short enough for the first keep-alive to leave within 100 ms.
 *
 * @param timer drives keep-alives
 * @param silence longest time between two frames
 */
record Streaming(Inference inference, ScheduledExecutorService timer, Duration silence) {
    private static final Duration COMMIT = Duration.ofMillis(50);

    /** Streams the answer. */
    void stream(Exchange exchange, GenerationRequest request, MessageFrames frames) throws InterruptedException {
        try (LiveGeneration generation = new LiveGeneration(inference, request)) {
            Optional<GenerationEvent> first = generation.next(COMMIT);
            if (first.isPresent() && first.get() instanceof Failed(Problem problem)) {
                exchange.respond(Failures.failed(problem));
                return;
            }
            EventStream out = exchange.events(EventStream.Kind.SERVER_SENT_EVENTS);
            try (LiveStream live = new LiveStream(out, timer, silence, frames::keepAlive)) {
                out.onGone(generation::close);
                live.send(Sse.KEEP_ALIVE);
                relayUntilStopped(generation, first, frames, live);
            } catch (EventStream.ClientGone gone) {
                return; // nobody is left to tell; closing the generation cancels it
            }
        }
    }

    /** An interrupt means that the node stops: the client is told and can ask another one. */
    private static void relayUntilStopped(
            LiveGeneration generation, Optional<GenerationEvent> first, MessageFrames frames, LiveStream live) {
        try {
            GenerationEvent event = first.isPresent() ? first.get() : generation.await();
            while (true) {
                live.send(frames.event(event));
                if (event instanceof Failed || event instanceof Finished) {
                    return;
                }
                event = generation.await();
            }
        } catch (InterruptedException e) {
            live.send(frames.event(
                    new Failed(Problem.of(Problem.Kind.INTERNAL, "stopped", "This node is stopping; please retry."))));
            Thread.currentThread().interrupt();
        }
    }

    /** Answers whole. A failed generation is an error status, never a half answer. */
    void whole(Exchange exchange, GenerationRequest request, MessageFrames frames) throws InterruptedException {
        try (LiveGeneration generation = new LiveGeneration(inference, request)) {
            exchange.onGone(generation::close);
            while (true) {
                GenerationEvent event = generation.await();
                if (event instanceof Failed(Problem problem)) {
                    exchange.respond(Failures.failed(problem));
                    return;
                }
                frames.event(event);
                if (event instanceof Finished) {
                    exchange.respond(frames.message());
                    return;
                }
            }
        } catch (EventStream.ClientGone gone) {
            exchange.respond(
                    Failures.failed(Problem.of(Problem.Kind.INTERNAL, "cancelled", "The client closed the request.")));
        }
    }
}
