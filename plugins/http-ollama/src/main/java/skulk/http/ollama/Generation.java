package skulk.http.ollama;

import java.time.Duration;
import java.util.Optional;
import skulk.api.Inference;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.EventStream.ClientGone;
import skulk.api.problem.Problem;

/** A generation that fails when it falls silent in the middle of its output. Read by one thread; closed by any. */
final class Generation implements AutoCloseable {
    private static final Duration TURN = Duration.ofSeconds(1);

    private final Inference.Generating generating;
    private final Duration stall;
    private volatile boolean closed;
    private boolean spoke;

    /**
     * Starts it.
     *
     * @param stall how long it may be silent after its first output
     * @throws skulk.api.problem.SkulkException as {@link Inference#generate}
     */
    Generation(Inference inference, GenerationRequest request, Duration stall) {
        this.generating = inference.generate(request);
        this.stall = stall;
    }

    /** The next event within a time. */
    Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
        Optional<GenerationEvent> event = generating.next(patience);
        spoke |= event.isPresent()
                && (event.get() instanceof GenerationEvent.Text || event.get() instanceof GenerationEvent.ToolCallDelta);
        return event;
    }

    /**
     * The next event, however long it takes to the first output; after that, silence is a failure (contract section 3, "Stream stalled").
     *
     * @throws ClientGone where the generation was closed meanwhile
     */
    GenerationEvent await() throws InterruptedException {
        long since = System.nanoTime();
        while (!closed) {
            Optional<GenerationEvent> event = next(stall.compareTo(TURN) < 0 ? stall : TURN);
            if (event.isPresent()) {
                return event.get();
            }
            if (spoke && System.nanoTime() - since >= stall.toNanos()) {
                return new Failed(Problem.of(
                        Problem.Kind.INTERNAL,
                        "stalled",
                        "Stream stalled: no output for %ds; the response may be incomplete."
                                .formatted(stall.toSeconds())));
            }
        }
        throw new ClientGone("closed while generating");
    }

    /** Cancels it unless it has ended. */
    @Override
    public void close() {
        closed = true;
        generating.close();
    }
}
