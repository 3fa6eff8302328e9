package skulk.api;

import java.util.function.Consumer;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;

/**
 * A loaded rank. The kernel talks to rank 0 only; how rank 0 drives the others is the runner's own affair (over {@link RankLinks}). Safe for use by several
 * threads.
 */
public interface Runner extends AutoCloseable {
    /**
     * Queues a request and returns without waiting for a token. Every failure, also of a request that cannot be served, arrives as a
     * {@link GenerationEvent.Failed}.
     *
     * @param events called from one thread at a time, in order; never blocks
     */
    Generation submit(GenerationRequest request, Consumer<GenerationEvent> events);

    /** Embeds texts; blocks. @throws skulk.api.problem.SkulkException where the model or the input does not allow it */
    EmbeddingRequest.Embeddings embed(EmbeddingRequest request);

    /** Tokens of a request's prompt. @throws skulk.api.problem.SkulkException where it cannot be rendered */
    int countTokens(GenerationRequest request);

    /**
     * Counters and levels of the engine for diagnostics and metrics: queue, batch, cache blocks, bandwidth, chosen kernels. Cheap; called twice a second and from any
     * thread. A member {@code histograms} holds, by name, {@code bounds} (upper ends, ascending), {@code counts} (one more than bounds, not accumulated) and
     * {@code sum}.
     */
    JsonObject report();

    /** Fails what is in flight and frees everything. */
    @Override
    void close();

    /** A request under way. */
    interface Generation {
        /** Drops the request at the next step boundary; it ends with Failed (code {@code cancelled}). Idempotent. */
        void cancel();
    }
}
