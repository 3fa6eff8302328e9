package skulk.api.generation;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.model.ModelId;

/**
 * Texts to turn into vectors.
 *
 * @param dimensions shorter vectors, for models that allow it
 * @param truncate whether a text over the model's limit is cut instead of refused
 */
public record EmbeddingRequest(
        CommandId commandId,
        ModelId model,
        List<String> inputs,
        Optional<Integer> dimensions,
        boolean truncate,
        String client) {
    public EmbeddingRequest {
        inputs = List.copyOf(inputs);
    }

    /** @param vectors one per input, in order, each of unit length */
    public record Embeddings(List<float[]> vectors, int promptTokens) {
        public Embeddings {
            vectors = List.copyOf(vectors);
        }
    }
}
