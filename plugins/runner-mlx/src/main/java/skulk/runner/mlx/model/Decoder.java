package skulk.runner.mlx.model;

/**
 * A loaded model (or this rank's share of one): tokens in, logits out, past kept in a paged cache.
 *
 * <p>One driver thread calls {@link #forward} and everything on {@link #cache()}; the decoder spreads the work over its
 * own worker threads. Counters of the pool may be read from any thread. What a sequence gets does not depend on which
 * other sequences share the batch, nor on how its tokens are cut into slices: every row is computed in the same order
 * of operations, bit for bit.
 */
public interface Decoder extends AutoCloseable {

    /** What the model is: sizes, limits, formats. Constant. */
    DecoderSpec spec();

    /** The cache that sequences of this decoder live in. */
    KvPool cache();

    /**
     * Runs one step: appends every slice's tokens to its sequence and computes the logits that the slices ask for.
     *
     * <p>With several ranks, every rank calls this with the same batch (its own sequences, opened in the same order);
     * the logits are complete on rank 0 only, the others leave {@code logits} without rows.
     *
     * @param batch slices of distinct, open sequences of {@link #cache()}
     * @param logits reset and filled: rows in the order of the slices, within a slice in the order of positions
     * @throws CacheFullException if the cache cannot hold the batch; no sequence has changed then
     * @throws IllegalArgumentException if a token is outside the vocabulary, a sequence outgrows
     *     {@link DecoderSpec#maxContext()}, or a sequence occurs twice; no sequence has changed then
     */
    void forward(Batch batch, Logits logits);

    /**
     * Begins a step whose logits are collected later, so that ranks that hold consecutive layers work on several steps
     * at once. The batch must not hold a sequence whose logits of an earlier step are still to come. Steps are finished
     * in the order in which they were begun; on a decoder that is not split by layers, before the next one is begun.
     *
     * @throws CacheFullException as {@link #forward}, here or from {@link Pending#finish}
     * @throws IllegalArgumentException as {@link #forward}, here or from {@link Pending#finish}
     */
    default Pending begin(Batch batch) {
        return logits -> forward(batch, logits);
    }

    /** A step under way. */
    @FunctionalInterface
    interface Pending {
        /** Waits for the step and gives its logits as {@link #forward} does. Once. */
        void finish(Logits logits);
    }

    /**
     * Runs one step as {@link #forward} does, but gives the hidden states after the final norm instead of logits: what
     * embedding models pool.
     *
     * @param states reset and filled: rows of {@link DecoderSpec#hidden()} values for the positions whose logits the
     *     slices ask for, in the same order
     */
    void hidden(Batch batch, Logits states);

    /** Stops the workers and returns weights and cache to the system. Idempotent. */
    @Override
    void close();
}
