package skulk.distribution;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import skulk.runner.mlx.embed.MiniLm;

/** Models that embed: a published encoder, and the embedded chat model under a card that says that its hidden states are pooled. */
final class EmbedModels {
    static final String MINILM = "sentence-transformers/all-MiniLM-L6-v2";
    static final int MINILM_DIMENSIONS = 384;
    static final int MINILM_TOKENS = 256;

    /** Its vectors may be cut short, as its card says. */
    static final String POOLED = "test/pooled";

    static final int POOLED_DIMENSIONS = 192;

    private EmbedModels() {}

    /** Puts both into the home of a node that is not started yet and has {@link Scripted#install}. */
    static void install(Path home) throws IOException {
        MiniLm.write(Files.createDirectories(home.resolve("checkpoints/sentence-transformers--all-MiniLM-L6-v2")));
        installPooled(home);
    }

    /** The small one alone. */
    static void installPooled(Path home) throws IOException {
        Path model = Files.createDirectories(home.resolve("checkpoints/test--pooled"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(ToyModel.embedded().resolve(name), model.resolve(name));
        }
        Files.writeString(
                Files.createDirectories(home.resolve("custom_model_cards")).resolve("test--pooled.toml"), """
                model_id = "test/pooled"
                n_layers = 6
                hidden_size = 192
                supports_tensor = false
                tasks = ["TextEmbedding"]
                capabilities = ["embedding", "matryoshka"]
                context_length = 2048

                [storage_size]
                in_bytes = 1553280

                [placement]
                compatible_backends = ["mlx"]
                """);
    }
}
