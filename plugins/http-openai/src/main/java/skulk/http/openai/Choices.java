package skulk.http.openai;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import skulk.api.Inference;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.EventStream.ClientGone;

/**
 * The generations behind one answer, one per choice, read as one. Read by one thread; closed by any. A single choice is read directly; several are
 * pumped by virtual threads through a bounded queue.
 */
final class Choices implements AutoCloseable {
    private static final Duration TURN = Duration.ofSeconds(1);
    private static final int QUEUED_EVENTS = 256;

    /** What one choice told. */
    record Told(int choice, GenerationEvent event) {}

    private final List<Inference.Generating> generations = new ArrayList<>();
    private final List<Thread> pumps = new ArrayList<>();
    private final BlockingQueue<Told> merged = new LinkedBlockingQueue<>(QUEUED_EVENTS);
    private volatile boolean closed;

    private Choices() {}

    /**
     * Starts all of them, or none.
     *
     * @throws skulk.api.problem.SkulkException as {@link Inference#generate}
     */
    static Choices start(Inference inference, List<GenerationRequest> requests) {
        Choices choices = new Choices();
        try {
            for (GenerationRequest request : requests) {
                choices.generations.add(inference.generate(request));
            }
        } catch (RuntimeException e) {
            choices.close();
            throw e;
        }
        if (requests.size() > 1) {
            for (int i = 0; i < requests.size(); i++) {
                int choice = i;
                choices.pumps.add(Thread.startVirtualThread(() -> choices.pump(choice)));
            }
        }
        return choices;
    }

    int count() {
        return generations.size();
    }

    /** The next event within a time. */
    Optional<Told> next(Duration patience) throws InterruptedException {
        return generations.size() == 1
                ? generations.getFirst().next(patience).map(event -> new Told(0, event))
                : Optional.ofNullable(merged.poll(patience.toNanos(), TimeUnit.NANOSECONDS));
    }

    /**
     * The next event, however long it takes; a generation that has stalled fails by itself.
     *
     * @throws ClientGone where the choices were closed meanwhile
     */
    Told await() throws InterruptedException {
        while (!closed) {
            Optional<Told> told = next(TURN);
            if (told.isPresent()) {
                return told.get();
            }
        }
        throw new ClientGone("closed while generating");
    }

    private void pump(int choice) {
        try {
            while (!closed) {
                Optional<GenerationEvent> event = generations.get(choice).next(TURN);
                if (event.isPresent()) {
                    merged.put(new Told(choice, event.get()));
                    if (event.get() instanceof Finished || event.get() instanceof Failed) {
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Cancels what has not ended. */
    @Override
    public void close() {
        closed = true;
        generations.forEach(Inference.Generating::close);
        pumps.forEach(Thread::interrupt);
    }
}
