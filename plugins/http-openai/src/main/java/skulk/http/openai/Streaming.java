package skulk.http.openai;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import skulk.api.Inference;
import skulk.api.dialect.LiveStream;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/**
 * Runs generations and relays what they tell, as a stream or whole. Shared by the endpoints; safe for use by several threads.
 *
 * <p>A stream commits to status 200 with its first byte. A generation that fails within {@link #COMMIT} is still answered with its real status; one that
 * fails later gets an error event. The wait is short enough for the first keep-alive to leave within 100 ms.
 *
 * @param timer drives keep-alives
 * @param silence longest time between two frames
 */
record Streaming(Inference inference, ScheduledExecutorService timer, Duration silence) {
    private static final Duration COMMIT = Duration.ofMillis(50);

    /** Turns events into frames; keeps what it needs between them, does no input or output. Used by one thread. */
    interface Frames {
        /** What goes out before the first event. */
        List<String> opening();

        List<String> event(int choice, GenerationEvent event);

        /** What goes out when every choice has finished. */
        List<String> closing();

        /** What goes out instead of the rest. */
        List<String> failure(Problem problem);
    }

    /** Makes the one response out of what every choice answered. */
    interface Reply {
        JsonObject of(List<Answer> answers);
    }

    /** Streams the answer. */
    void stream(Exchange exchange, List<GenerationRequest> requests, Frames frames) throws InterruptedException {
        try (Choices choices = Choices.start(inference, requests)) {
            Optional<Choices.Told> first = choices.next(COMMIT);
            if (first.isPresent() && first.get().event() instanceof Failed(Problem problem)) {
                exchange.respond(Failures.failed(problem));
                return;
            }
            EventStream out = exchange.events(EventStream.Kind.SERVER_SENT_EVENTS);
            try (LiveStream live = new LiveStream(out, timer, silence, () -> Sse.KEEP_ALIVE)) {
                out.onGone(choices::close);
                live.send(Sse.KEEP_ALIVE);
                live.send(frames.opening());
                relayUntilStopped(choices, first, frames, live);
            } catch (EventStream.ClientGone gone) {
                return; // nobody is left to tell; closing the choices cancels them
            }
        }
    }

    /** An interrupt means that the node stops: the client is told and can ask another one. */
    private static void relayUntilStopped(
            Choices choices, Optional<Choices.Told> first, Frames frames, LiveStream live) {
        try {
            relay(choices, first, frames, live);
        } catch (InterruptedException e) {
            live.send(frames.failure(
                    Problem.of(Problem.Kind.INTERNAL, "stopped", "This node is stopping; please retry.")));
            Thread.currentThread().interrupt();
        }
    }

    private static void relay(Choices choices, Optional<Choices.Told> first, Frames frames, LiveStream live)
            throws InterruptedException {
        int open = choices.count();
        Choices.Told told = first.isPresent() ? first.get() : choices.await();
        while (true) {
            if (told.event() instanceof Failed(Problem problem)) {
                live.send(frames.failure(problem));
                return;
            }
            live.send(frames.event(told.choice(), told.event()));
            if (told.event() instanceof Finished && --open == 0) {
                live.send(frames.closing());
                return;
            }
            told = choices.await();
        }
    }

    /** Answers whole. A failed generation is an error status, never a half answer. */
    void whole(Exchange exchange, List<GenerationRequest> requests, Reply reply) throws InterruptedException {
        try (Choices choices = Choices.start(inference, requests)) {
            exchange.onGone(choices::close);
            List<Answer> answers = requests.stream().map(r -> new Answer()).toList();
            int open = answers.size();
            while (open > 0) {
                Choices.Told told = choices.await();
                if (told.event() instanceof Failed(Problem problem)) {
                    exchange.respond(Failures.failed(problem));
                    return;
                }
                answers.get(told.choice()).add(told.event());
                open -= told.event() instanceof Finished ? 1 : 0;
            }
            exchange.respond(reply.of(answers));
        } catch (EventStream.ClientGone gone) {
            exchange.respond(
                    Failures.failed(Problem.of(Problem.Kind.INTERNAL, "cancelled", "The client closed the request.")));
        }
    }
}
