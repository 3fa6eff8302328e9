package skulk.api.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;

/** A model card as an entry of the catalog (contract section 8.1): what {@code GET /models} lists and {@code POST /models/add} answers. */
public final class CatalogJson {
    private CatalogJson() {}

    /**
     * The entry of a card.
     *
     * @param created seconds since the epoch; models have no date of their own, so this is when the node started
     */
    public static JsonObject entry(ModelCard card, long created) {
        String id = card.modelId().value();
        return JsonObject.builder()
                .put("id", id)
                .put("object", "model")
                .put("created", created)
                .put("owned_by", "skulk")
                .put("hugging_face_id", id)
                .put("name", card.modelId().shortName())
                .put("description", "")
                .put("context_length", card.contextLength())
                .put("tags", tags(card))
                .put("storage_size_megabytes", card.storageSize().inBytes() / (1024 * 1024))
                .put("supports_tensor", card.supportsTensor())
                .put("tasks", card.tasks())
                .put("is_custom", card.isCustom())
                .put("family", card.family())
                .put("quantization", card.quantization())
                .put("base_model", card.baseModel())
                .put("capabilities", card.capabilities())
                .put("reasoning", snake(card.reasoning()))
                .put("modalities", card.modalities())
                .put("tooling", snake(card.tooling()))
                .put("runtime", card.runtime().map(CatalogJson::runtime))
                .put("resolved_capabilities", resolved(card))
                .build();
    }

    private static Json snake(Optional<? extends Record> part) {
        return part.map(Records::toSnakeJson).orElse(Json.NULL);
    }

    private static JsonObject runtime(ModelCard.Runtime runtime) {
        return JsonObject.builder()
                .put("prompt_renderer", runtime.promptRenderer())
                .put("output_parser", runtime.outputParser())
                .build();
    }

    private static List<String> tags(ModelCard card) {
        List<String> tags = new ArrayList<>();
        boolean optiq = (card.quantization() + card.modelId())
                .toLowerCase(java.util.Locale.ROOT)
                .contains("optiq");
        if (optiq) {
            tags.add("optiq");
        }
        if (thinks(card)) {
            tags.add("thinking");
        }
        if (sees(card)) {
            tags.add("vision");
        }
        if (card.supportsTensor()) {
            tags.add("tensor");
        }
        if (card.embeds()) {
            tags.add("embedding");
        }
        return tags;
    }

    private static boolean thinks(ModelCard card) {
        return card.capabilities().contains("thinking")
                || card.reasoning().filter(r -> !r.format().equals("none")).isPresent();
    }

    private static boolean sees(ModelCard card) {
        return card.vision().isPresent() || card.capabilities().contains("vision");
    }

    private static JsonObject resolved(ModelCard card) {
        boolean thinks = thinks(card);
        boolean toggles = card.capabilities().contains("thinking_toggle")
                || card.reasoning().filter(ModelCard.Reasoning::supportsToggle).isPresent();
        String format = card.reasoning().map(ModelCard.Reasoning::format).orElse(thinks ? "token_delimited" : "none");
        Optional<JsonObject> modalities = card.modalities();
        return JsonObject.builder()
                .put("family", card.family())
                .put("supports_thinking", thinks)
                .put("supports_thinking_toggle", thinks && toggles)
                .put(
                        "supports_thinking_budget",
                        card.reasoning()
                                .filter(ModelCard.Reasoning::supportsBudget)
                                .isPresent())
                .put("default_reasoning_effort", card.reasoning().flatMap(ModelCard.Reasoning::defaultEffort))
                .put("disabled_reasoning_effort", card.reasoning().flatMap(ModelCard.Reasoning::disabledEffort))
                .put("thinking_format", format)
                .put("supports_image_input", sees(card))
                .put("supports_audio_input", flag(modalities, "supports_audio_input"))
                .put(
                        "supports_tool_calling",
                        card.tooling()
                                .filter(ModelCard.Tooling::supportsToolCalling)
                                .isPresent())
                .put(
                        "builtin_tools",
                        card.tooling().map(ModelCard.Tooling::builtinTools).orElse(List.of()))
                .put(
                        "tool_call_format",
                        card.tooling().map(ModelCard.Tooling::toolCallFormat).orElse("generic"))
                .put(
                        "prompt_renderer",
                        card.runtime()
                                .flatMap(ModelCard.Runtime::promptRenderer)
                                .orElse("tokenizer"))
                .put(
                        "output_parser",
                        card.runtime().flatMap(ModelCard.Runtime::outputParser).orElse("generic"))
                .put("supports_native_multimodal", flag(modalities, "supports_native_multimodal"))
                .build();
    }

    private static boolean flag(Optional<JsonObject> object, String name) {
        return object.flatMap(o -> o.find(name)).filter(Json.of(true)::equals).isPresent();
    }
}
