package skulk.api.dialect;

import java.time.Duration;
import java.util.Optional;
import skulk.api.Inference;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.EventStream.ClientGone;

/** A generation that is given up as soon as it is closed. Read by one thread; closed by any. */
public final class LiveGeneration implements AutoCloseable {
    private static final Duration TURN = Duration.ofSeconds(1);

    private final Inference.Generating generating;
    private volatile boolean closed;

    /**
     * Starts it.
     *
     * @throws skulk.api.problem.SkulkException as {@link Inference#generate}
     */
    public LiveGeneration(Inference inference, GenerationRequest request) {
        this.generating = inference.generate(request);
    }

    /** The next event within a time. */
    public Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
        return generating.next(patience);
    }

    /**
     * The next event, however long it takes; a generation that has stalled fails by itself.
     *
     * @throws ClientGone where the generation was closed meanwhile
     */
    public GenerationEvent await() throws InterruptedException {
        while (!closed) {
            Optional<GenerationEvent> event = next(TURN);
            if (event.isPresent()) {
                return event.get();
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
