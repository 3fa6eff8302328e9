package skulk.runner.mlx.schedule;

/**
 * What a sequence took.
 *
 * @param promptTokens of the request
 * @param cachedTokens of them, found in the cache at admission
 * @param generated output tokens, the end token included
 * @param prefillNanos from admission to the first output token
 * @param decodeNanos from the first output token to the last
 * @param inFlight sequences in the batch when this one joined, itself included
 * @param batches whether sequences are decoded together
 */
public record Tally(
        int promptTokens,
        int cachedTokens,
        int generated,
        int acceptedDraft,
        int rejectedDraft,
        long prefillNanos,
        long decodeNanos,
        int inFlight,
        boolean batches) {}
