package skulk.runner.mlx.embed;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.model.ModelId;

/** Requests for tests. */
final class Requests {
    private Requests() {}

    static EmbeddingRequest of(List<String> texts) {
        return of(texts, Optional.empty(), false);
    }

    static EmbeddingRequest of(List<String> texts, Optional<Integer> dimensions, boolean truncate) {
        return new EmbeddingRequest(
                new CommandId("command"), new ModelId("test/encoder"), texts, dimensions, truncate, "client");
    }

    static List<float[]> embed(Embedder embedder, List<String> texts) {
        return embedder.embed(of(texts)).vectors();
    }
}
