package skulk.api.fake;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import skulk.api.Inference;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** An inference that plays scripted events; counts how many generations were cancelled. */
public final class FakeInference implements Inference {
    private final List<GenerationRequest> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger cancelled = new AtomicInteger();
    private volatile Function<GenerationRequest, List<GenerationEvent>> script = request -> {
        throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + request.model());
    };
    private volatile Function<EmbeddingRequest, EmbeddingRequest.Embeddings> embedder = request -> {
        throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + request.model());
    };

    /** Plays these events to every request; without a final event the generation hangs until it is closed. */
    public FakeInference playing(GenerationEvent... events) {
        return playing(request -> List.of(events));
    }

    public FakeInference playing(Function<GenerationRequest, List<GenerationEvent>> function) {
        script = function;
        return this;
    }

    public FakeInference embedding(Function<EmbeddingRequest, EmbeddingRequest.Embeddings> function) {
        embedder = function;
        return this;
    }

    public List<GenerationRequest> requests() {
        return requests;
    }

    /** How many generations were closed before their last event was read. */
    public int cancelled() {
        return cancelled.get();
    }

    @Override
    public Generating generate(GenerationRequest request) {
        requests.add(request);
        return new Playing(new LinkedBlockingQueue<>(script.apply(request)));
    }

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        return embedder.apply(request);
    }

    @Override
    public int countTokens(GenerationRequest request) {
        return request.prompt().toString().length();
    }

    private final class Playing implements Generating {
        private final BlockingQueue<GenerationEvent> queue;
        private volatile boolean ended;

        Playing(BlockingQueue<GenerationEvent> queue) {
            this.queue = queue;
        }

        @Override
        public Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
            GenerationEvent event = queue.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
            if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                ended = true;
            }
            return Optional.ofNullable(event);
        }

        @Override
        public void close() {
            if (!ended) {
                ended = true;
                cancelled.incrementAndGet();
            }
        }
    }
}
