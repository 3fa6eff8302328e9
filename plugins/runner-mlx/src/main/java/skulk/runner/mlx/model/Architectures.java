package skulk.runner.mlx.model;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.Fields;

/** The registry: {@code model_type} to architecture. */
final class Architectures {
    private static final Map<String, Family> FAMILIES = Map.ofEntries(
            entry("cohere2", Cohere2::new),
            entry("deepseek_v3", DeepseekV3::new),
            entry("gemma2", Gemma2::new),
            entry("gemma3", text(Gemma3Text::new)),
            entry("gemma3_text", Gemma3Text::new),
            entry("glm4", Glm4::new),
            entry("gpt_oss", GptOss::new),
            entry("granite", Granite::new),
            entry("joyai_llm_flash", DeepseekV3::new),
            entry("kimi_k2", DeepseekV3::new),
            entry("llama", Llama::new),
            entry("llama4_text", Llama4Text::new),
            entry("ministral3", Ministral3::new),
            entry("mistral", Llama::new),
            entry("mistral3", text(Architectures::mistral3)),
            entry("mixtral", Mixtral::new),
            entry("olmo2", Olmo2::new),
            entry("phi3", Phi3::new),
            entry("qwen2", Qwen2::new),
            entry("qwen2_moe", Qwen2Moe::new),
            entry("qwen3", Qwen3::new),
            entry("qwen3_moe", Qwen3Moe::new),
            entry("qwen3_5", text(Qwen35::load)),
            entry("qwen3_5_moe", text(Qwen35::load)),
            entry("qwen3_next", Qwen3Next::new),
            entry("smollm3", Smollm3::new));

    /** Every {@code model_type} that loads, sorted. */
    static final List<String> KNOWN = FAMILIES.keySet().stream().sorted().toList();

    private Architectures() {}

    /** @param config the top level of {@code config.json} */
    static Architecture load(Fields config, Weights weights) {
        String type = config.text("model_type").orElseThrow(() -> config.wrong("model_type", "is missing"));
        Family family = FAMILIES.get(type);
        if (family == null) {
            throw new CheckpointException(config.where() + ": model_type " + type + " is not supported; known are "
                    + String.join(", ", KNOWN));
        }
        return family.load(config, weights);
    }

    /** A family wrapped for several modalities: its text part. */
    private static Family text(Family family) {
        return (config, weights) -> family.load(config.object("text_config").orElse(config), weights);
    }

    private static Architecture mistral3(Fields text, Weights weights) {
        Fields filled = Defaults.fill(text, Map.of("tie_word_embeddings", false));
        return text.text("model_type").equals(java.util.Optional.of("ministral3"))
                ? new Ministral3(filled, weights)
                : new Llama(filled, weights);
    }

    private interface Family {
        /** @param config the section with the sizes */
        Architecture load(Fields config, Weights weights);
    }
}
