package skulk.http.ollama;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.Inference;
import skulk.api.dialect.LiveGeneration;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/**
 * Runs a generation and relays what it tells, as lines or whole. Lines of JSON have no room for keep-alives (contract section 7), so that status 200 is
 * committed to only when the generation has told something or has been quiet for {@link #COMMIT}.
 */
record Streaming(Inference inference) {
    private static final Duration COMMIT = Duration.ofMillis(50);

    void answer(Exchange exchange, AskRequest request, AnswerLines lines) throws InterruptedException {
        try (LiveGeneration generation = new LiveGeneration(inference, request.generation())) {
            if (request.stream()) {
                stream(exchange, generation, lines);
            } else {
                whole(exchange, generation, lines);
            }
        } catch (EventStream.ClientGone gone) {
            // nobody is left to tell; closing the generation cancels it
            if (!request.stream()) {
                throw Failures.failed(Problem.of(Problem.Kind.INTERNAL, "cancelled", "The client closed the request."));
            }
        }
    }

    private static void stream(Exchange exchange, LiveGeneration generation, AnswerLines lines)
            throws InterruptedException {
        Optional<GenerationEvent> first = generation.next(COMMIT);
        if (first.isPresent() && first.get() instanceof Failed(Problem problem)) {
            throw Failures.failed(problem);
        }
        try (EventStream out = exchange.events(EventStream.Kind.NDJSON)) {
            out.onGone(generation::close);
            relayUntilStopped(generation, first, lines, out);
        }
    }

    /** An interrupt means that the node stops: the client is told and can ask another one. */
    private static void relayUntilStopped(
            LiveGeneration generation, Optional<GenerationEvent> first, AnswerLines lines, EventStream out) {
        try {
            GenerationEvent event = first.isPresent() ? first.get() : generation.await();
            while (true) {
                send(lines.event(event), out);
                if (event instanceof Failed || event instanceof Finished) {
                    return;
                }
                event = generation.await();
            }
        } catch (InterruptedException e) {
            Problem problem = Problem.of(Problem.Kind.INTERNAL, "stopped", "This node is stopping; please retry.");
            send(lines.event(new Failed(problem)), out);
            Thread.currentThread().interrupt();
        }
    }

    private static void send(List<JsonObject> lines, EventStream out) {
        lines.forEach(line -> out.send(line + "\n"));
    }

    private static void whole(Exchange exchange, LiveGeneration generation, AnswerLines lines)
            throws InterruptedException {
        exchange.onGone(generation::close);
        while (true) {
            GenerationEvent event = generation.await();
            if (event instanceof Failed(Problem problem)) {
                throw Failures.failed(problem);
            }
            lines.event(event);
            if (event instanceof Finished finished) {
                exchange.respond(lines.whole(finished));
                return;
            }
        }
    }
}
