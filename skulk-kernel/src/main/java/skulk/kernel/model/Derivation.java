package skulk.kernel.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import skulk.api.cluster.Memory;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** A card made from a checkpoint's own {@code config.json} and the sizes of its files; pure. */
final class Derivation {
    private Derivation() {}

    /** @throws JsonException naming what the configuration lacks */
    static ModelCard card(ModelId model, JsonObject config, ModelManifest manifest, String chatTemplate) {
        JsonObject text = config.object("text_config").orElse(config); // multimodal checkpoints keep it apart
        int layers = number(text, "num_hidden_layers", "n_layer", "num_layers")
                .orElseThrow(() -> new JsonException("config.json has no 'num_hidden_layers'", -1));
        int hidden = number(text, "hidden_size", "n_embd", "d_model")
                .orElseThrow(() -> new JsonException("config.json has no 'hidden_size'", -1));
        Optional<Integer> heads = number(text, "num_attention_heads", "n_head");
        Optional<Integer> kvHeads = number(text, "num_key_value_heads").or(() -> heads);
        String type =
                text.string("model_type").or(() -> config.string("model_type")).orElse("");
        boolean embeds = embeds(config, type);
        boolean thinks = chatTemplate.contains("<think>") || chatTemplate.contains("enable_thinking");
        boolean toggles = chatTemplate.contains("enable_thinking");
        boolean calls = chatTemplate.contains("tools");
        boolean channels = type.equals("gpt_oss");
        List<String> capabilities = new ArrayList<>(List.of(embeds ? "embedding" : "text"));
        if (thinks || channels) {
            capabilities.add("thinking");
        }
        if (toggles) {
            capabilities.add("thinking_toggle");
        }
        return new ModelCard(
                model,
                new Memory(weights(manifest)),
                layers,
                hidden,
                !embeds && splits(heads, kvHeads),
                kvHeads,
                List.of(embeds ? "TextEmbedding" : "TextGeneration"),
                Optional.empty(),
                type.isEmpty() ? "" : type.split("_")[0],
                quantization(config, text),
                model.shortName(),
                Optional.empty(),
                capabilities,
                number(text, "max_position_embeddings").orElse(0),
                false,
                false,
                false,
                Optional.empty(),
                Optional.of(new ModelCard.Reasoning(
                        toggles,
                        false,
                        channels ? "channel_delimited" : thinks ? "token_delimited" : "none",
                        channels ? Optional.of("medium") : Optional.empty(),
                        toggles ? Optional.of("none") : Optional.empty())),
                Optional.empty(),
                Optional.of(new ModelCard.Tooling(calls || channels, channels ? "gpt_oss" : "generic", List.of())),
                Optional.empty(),
                Optional.of(new ModelCard.Placement(
                        List.of("mlx"), Optional.empty(), Optional.empty(), List.of(), attentionWidth(text, heads))));
    }

    /** Latent attention works in the latent space. */
    private static Optional<Integer> attentionWidth(JsonObject text, Optional<Integer> heads) {
        Optional<Integer> width = number(text, "kv_lora_rank").or(() -> number(text, "head_dim"));
        return heads.flatMap(h -> width.map(w -> h * w));
    }

    private static boolean embeds(JsonObject config, String type) {
        boolean encoder = config.array("architectures").stream()
                .flatMap(a -> a.items().stream())
                .anyMatch(
                        a -> a.toString().contains("BertModel") || a.toString().contains("EmbeddingModel"));
        return encoder || type.equals("bert") || type.equals("xlm-roberta");
    }

    /** Whether there is a key-value head with its query heads for each of two ranks at least. */
    private static boolean splits(Optional<Integer> heads, Optional<Integer> kvHeads) {
        int groups = kvHeads.orElse(0);
        return groups > 1 && heads.orElse(0) % groups == 0;
    }

    private static long weights(ModelManifest manifest) {
        return manifest.files().stream()
                .filter(f -> f.path().endsWith(".safetensors"))
                .mapToLong(f -> f.size())
                .sum();
    }

    private static String quantization(JsonObject config, JsonObject text) {
        Optional<JsonObject> quantization = config.object("quantization")
                .or(() -> text.object("quantization"))
                .or(() -> config.object("quantization_config"));
        if (quantization.isPresent()) {
            Optional<Long> bits = quantization.get().integer("bits");
            return bits.map(b -> b + "bit")
                    .or(() -> quantization.get().string("quant_method"))
                    .orElse("");
        }
        return text.string("torch_dtype")
                .or(() -> config.string("torch_dtype"))
                .map(d -> switch (d.toLowerCase(Locale.ROOT)) {
                    case "bfloat16" -> "bf16";
                    case "float16" -> "fp16";
                    case "float32" -> "fp32";
                    default -> d;
                })
                .orElse("");
    }

    private static Optional<Integer> number(JsonObject object, String... names) {
        for (String name : names) {
            Optional<Long> value = object.integer(name);
            if (value.isPresent()) {
                return value.map(Math::toIntExact);
            }
        }
        return Optional.empty();
    }
}
