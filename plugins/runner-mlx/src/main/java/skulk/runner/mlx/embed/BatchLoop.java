package skulk.runner.mlx.embed;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * The one thread that computes. It takes a text from each waiting request in turn until a batch is full, so that requests
 * share the reading of the weights and a short one does not wait for the end of a long one.
 */
final class BatchLoop implements AutoCloseable {
    private final TextEncoder encoder;
    private final int maxBatchTokens;
    private final Queue<Request> waiting = new ArrayDeque<>();
    private final Thread thread;
    private final AtomicLong batches = new AtomicLong();
    private final AtomicLong tokens = new AtomicLong();
    private final AtomicLong texts = new AtomicLong();
    private boolean closed;

    /** Takes over the encoder and closes it. */
    BatchLoop(TextEncoder encoder, int maxBatchTokens) {
        this.encoder = encoder;
        this.maxBatchTokens = maxBatchTokens;
        this.thread = Thread.ofPlatform().daemon().name("mlx-embed").start(this::run);
    }

    /**
     * Queues texts.
     *
     * @param texts at least one, of at least one token each
     * @return their vectors, not normalised; cancelling it drops what has not been computed
     */
    CompletableFuture<List<float[]>> submit(List<int[]> texts) {
        Request request = new Request(texts);
        synchronized (waiting) {
            if (closed) {
                request.result.completeExceptionally(closedProblem());
                return request.result;
            }
            waiting.add(request);
            waiting.notifyAll();
        }
        return request.result;
    }

    /** Whether requests are refused. */
    boolean isClosed() {
        synchronized (waiting) {
            return closed;
        }
    }

    static SkulkException closedProblem() {
        return new SkulkException(Problem.of(Kind.NOT_READY, "runner_closed", "the runner is shutting down"));
    }

    private void run() {
        try {
            for (List<Place> batch = next(); !batch.isEmpty(); batch = next()) {
                compute(batch);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            failWaiting();
            encoder.close();
        }
    }

    private void failWaiting() {
        synchronized (waiting) {
            closed = true;
            waiting.forEach(request -> request.result.completeExceptionally(closedProblem()));
            waiting.clear();
        }
    }

    /** The next batch; empty when closed. */
    private List<Place> next() throws InterruptedException {
        synchronized (waiting) {
            while (true) {
                waiting.removeIf(request -> request.result.isDone());
                if (closed) {
                    return List.of();
                }
                if (!waiting.isEmpty()) {
                    return take();
                }
                waiting.wait();
            }
        }
    }

    private List<Place> take() {
        List<Place> batch = new ArrayList<>();
        int rows = 0;
        while (!waiting.isEmpty()) {
            Request request = waiting.peek();
            int[] text = request.texts.get(request.taken);
            if (rows > 0 && rows + text.length > maxBatchTokens) {
                break;
            }
            rows += text.length;
            batch.add(new Place(request, request.taken));
            waiting.remove();
            if (++request.taken < request.texts.size()) {
                waiting.add(request);
            }
        }
        return batch;
    }

    private void compute(List<Place> batch) {
        List<int[]> inputs = batch.stream().map(Place::text).toList();
        try {
            List<float[]> vectors = encoder.encode(inputs);
            batches.incrementAndGet();
            texts.addAndGet(inputs.size());
            tokens.addAndGet(inputs.stream().mapToLong(t -> t.length).sum());
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).done(vectors.get(i));
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            SkulkException failure =
                    new SkulkException(Problem.of(Kind.INTERNAL, "the batch could not be computed: " + e), e);
            batch.forEach(place -> place.request.result.completeExceptionally(failure));
        }
    }

    /** Batches computed so far. */
    long batches() {
        return batches.get();
    }

    /** Texts computed so far. */
    long texts() {
        return texts.get();
    }

    /** Tokens computed so far. */
    long tokens() {
        return tokens.get();
    }

    /** Ends after the batch that is being computed, waits for it and fails what is left. */
    @Override
    public void close() {
        synchronized (waiting) {
            closed = true;
            waiting.notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Texts that one caller waits for. Changed by the loop's thread alone once it is queued. */
    private static final class Request {
        private final List<int[]> texts;
        private final float[][] vectors;
        private final CompletableFuture<List<float[]>> result = new CompletableFuture<>();
        private int taken;
        private int done;

        Request(List<int[]> texts) {
            this.texts = texts;
            this.vectors = new float[texts.size()][];
        }
    }

    /** One text of a request. */
    private record Place(Request request, int index) {
        int[] text() {
            return request.texts.get(index);
        }

        void done(float[] vector) {
            request.vectors[index] = vector;
            if (++request.done == request.vectors.length) {
                request.result.complete(Arrays.asList(request.vectors));
            }
        }
    }
}
