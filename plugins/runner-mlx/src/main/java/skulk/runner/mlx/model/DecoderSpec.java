package skulk.runner.mlx.model;

/**
 * What a loaded decoder is.
 *
 * @param modelType {@code model_type} of its config, for example {@code llama}
 * @param vocab number of logits per row
 * @param hidden width of the hidden state
 * @param layers layers of the whole model, whatever this rank holds
 * @param maxContext largest length of a sequence ({@code max_position_embeddings})
 * @param kvBytesPerToken cache bytes that one position takes on this rank, before any window drops it
 * @param weightBytes memory that the weights take on this rank after load
 * @param kernels which kernels run, in words for the log
 */
public record DecoderSpec(
        String modelType,
        int vocab,
        int hidden,
        int layers,
        int maxContext,
        long kvBytesPerToken,
        long weightBytes,
        String kernels) {}
