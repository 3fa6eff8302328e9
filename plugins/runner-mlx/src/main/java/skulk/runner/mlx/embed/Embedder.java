package skulk.runner.mlx.embed;

import skulk.api.generation.EmbeddingRequest;
import skulk.api.json.JsonObject;

/** A loaded embedding model. Safe for use by several threads; texts of requests that wait at the same time share batches. */
public interface Embedder extends AutoCloseable {

    /**
     * Embeds the texts of a request; blocks until all are done. What a text gets does not depend on what it is batched
     * with, bit for bit.
     *
     * @return vectors of unit length in the order of the texts, and the tokens computed, special ones included
     * @throws skulk.api.problem.SkulkException {@code USER_ERROR} naming the field where there is no text, a text is over
     *     {@link #maxTokens()} and may not be cut, or the model cannot shorten vectors as asked; {@code NOT_READY} after
     *     {@link #close()}, {@code INTERNAL} where the computation fails or the calling thread is interrupted
     */
    EmbeddingRequest.Embeddings embed(EmbeddingRequest request);

    /** Most tokens of a text, special ones included. */
    int maxTokens();

    /** Length of a vector unless a request asks for less. */
    int dimensions();

    /** Constants and counters for diagnostics. */
    JsonObject report();

    /** Fails what is in flight and frees everything. Idempotent. */
    @Override
    void close();
}
