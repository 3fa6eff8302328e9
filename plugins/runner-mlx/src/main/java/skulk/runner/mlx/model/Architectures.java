package skulk.runner.mlx.model;

import java.util.List;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.Fields;

/** The registry: {@code model_type} to architecture. */
final class Architectures {
    /** Every {@code model_type} that loads. */
    static final List<String> KNOWN = List.of(
            "gemma3", "gemma3_text", "gpt_oss", "llama", "mistral", "phi3", "qwen2", "qwen3", "qwen3_moe");

    private Architectures() {}

    /** @param config the top level of {@code config.json} */
    static Architecture load(Fields config, Weights weights) {
        String type = config.text("model_type").orElseThrow(() -> config.wrong("model_type", "is missing"));
        return switch (type) {
            case "llama", "mistral" -> new Llama(config, weights);
            case "qwen2" -> new Qwen2(config, weights);
            case "qwen3" -> new Qwen3(config, weights);
            case "qwen3_moe" -> new Qwen3Moe(config, weights);
            case "gemma3_text" -> new Gemma3Text(config, weights);
            case "gemma3" -> new Gemma3Text(text(config), weights);
            case "phi3" -> new Phi3(config, weights);
            case "gpt_oss" -> new GptOss(config, weights);
            default -> throw new CheckpointException(config.where() + ": model_type " + type
                    + " is not supported; known are " + String.join(", ", KNOWN));
        };
    }

    /** The text part of a configuration for several modalities. */
    private static Fields text(Fields config) {
        return config.object("text_config").orElse(config);
    }
}
