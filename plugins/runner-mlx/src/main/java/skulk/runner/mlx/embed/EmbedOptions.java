package skulk.runner.mlx.embed;

/**
 * How an embedding model is loaded.
 *
 * @param threads threads that compute; at least 1
 * @param fast round activations to 8 bits where weights have 4: faster, less exact
 * @param maxBatchTokens tokens that are computed at once, roughly; bounds memory and how long a short request waits
 * @param maxTokens cap on the length of a text, beside what the model says
 * @param matryoshka vectors may be shortened to any length, whatever the checkpoint says
 */
public record EmbedOptions(int threads, boolean fast, int maxBatchTokens, int maxTokens, boolean matryoshka) {
    private static final int BATCH_TOKENS = 1024;

    public EmbedOptions {
        if (threads < 1 || maxBatchTokens < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    threads + " threads, batches of " + maxBatchTokens + " tokens, texts of " + maxTokens + " tokens");
        }
    }

    /** All processors, exact. */
    public static EmbedOptions defaults() {
        return new EmbedOptions(
                Runtime.getRuntime().availableProcessors(), false, BATCH_TOKENS, Integer.MAX_VALUE, false);
    }

    public EmbedOptions withThreads(int value) {
        return new EmbedOptions(value, fast, maxBatchTokens, maxTokens, matryoshka);
    }

    public EmbedOptions withFast(boolean value) {
        return new EmbedOptions(threads, value, maxBatchTokens, maxTokens, matryoshka);
    }

    public EmbedOptions withMaxBatchTokens(int value) {
        return new EmbedOptions(threads, fast, value, maxTokens, matryoshka);
    }

    public EmbedOptions withMaxTokens(int value) {
        return new EmbedOptions(threads, fast, maxBatchTokens, value, matryoshka);
    }

    public EmbedOptions withMatryoshka(boolean value) {
        return new EmbedOptions(threads, fast, maxBatchTokens, maxTokens, value);
    }
}
