package skulk.kernel.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.cluster.Memory;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/** Model cards as TOML (contract section 13.4): strict, so that a typing mistake is told instead of ignored. */
final class CardFile {
    private static final Set<String> KEYS = Set.of(
            "model_id",
            "n_layers",
            "hidden_size",
            "num_key_value_heads",
            "supports_tensor",
            "tasks",
            "family",
            "quantization",
            "base_model",
            "capabilities",
            "context_length",
            "gguf_file",
            "uses_cfg",
            "trust_remote_code",
            "components",
            "storage_size",
            "vision",
            "reasoning",
            "modalities",
            "tooling",
            "runtime",
            "placement");
    private static final Map<String, Set<String>> TABLES = Map.of(
            "storage_size", Set.of("in_bytes"),
            "vision",
                    Set.of(
                            "image_token_id",
                            "model_type",
                            "weights_repo",
                            "image_token",
                            "processor_repo",
                            "boi_token_id",
                            "eoi_token_id"),
            "reasoning", Set.of("supports_toggle", "supports_budget", "format", "default_effort", "disabled_effort"),
            "modalities", Set.of("supports_audio_input", "supports_native_multimodal"),
            "tooling", Set.of("supports_tool_calling", "tool_call_format", "builtin_tools"),
            "runtime",
                    Set.of(
                            "prompt_renderer",
                            "output_parser",
                            "metal_fast_synch",
                            "mtp_heads",
                            "mtp_max_depth",
                            "mtp_sidecar_repo",
                            "mtp_norm_convention",
                            "mtp_concat_order",
                            "speculative_multi_node",
                            "assistant_model_repo"),
            "placement",
                    Set.of(
                            "compatible_backends",
                            "backend_preference",
                            "min_vram_gib",
                            "max_context_tokens",
                            "attention_width"));
    private static final List<String> TASKS = List.of("TextGeneration", "TextToImage", "ImageToImage", "TextEmbedding");

    private CardFile() {}

    /** @throws JsonException naming the line or the key */
    static ModelCard read(String toml) {
        JsonObject card = Toml.parse(toml);
        known(card, KEYS, "");
        TABLES.forEach((table, keys) -> card.object(table).ifPresent(t -> known(t, keys, table + ".")));
        List<String> tasks = texts(card, "tasks");
        for (String task : tasks) {
            if (!TASKS.contains(task)) {
                throw new JsonException("tasks: '%s' is not one of %s".formatted(task, TASKS), -1);
            }
        }
        long bytes = required(card.object("storage_size").flatMap(s -> s.integer("in_bytes")), "storage_size.in_bytes");
        return new ModelCard(
                new ModelId(required(card.string("model_id"), "model_id")),
                new Memory(bytes),
                Math.toIntExact(required(card.integer("n_layers"), "n_layers")),
                card.integer("hidden_size").orElse(0L).intValue(),
                required(card.bool("supports_tensor"), "supports_tensor"),
                card.integer("num_key_value_heads").map(Long::intValue),
                tasks,
                card.object("components"),
                card.string("family").orElse(""),
                card.string("quantization").orElse(""),
                card.string("base_model").orElse(""),
                card.string("gguf_file"),
                texts(card, "capabilities"),
                card.integer("context_length").orElse(0L).intValue(),
                card.bool("uses_cfg").orElse(false),
                card.bool("trust_remote_code").orElse(true),
                false,
                card.object("vision"),
                card.object("reasoning").map(CardFile::reasoning),
                card.object("modalities"),
                card.object("tooling").map(CardFile::tooling),
                card.object("runtime").map(r -> Records.fromJson(r, ModelCard.Runtime.class)),
                card.object("placement").map(p -> Records.fromJson(p, ModelCard.Placement.class)));
    }

    private static ModelCard.Reasoning reasoning(JsonObject table) {
        return new ModelCard.Reasoning(
                table.bool("supports_toggle").orElse(false),
                table.bool("supports_budget").orElse(false),
                table.string("format").orElse("none"),
                table.string("default_effort"),
                table.string("disabled_effort"));
    }

    private static ModelCard.Tooling tooling(JsonObject table) {
        return new ModelCard.Tooling(
                table.bool("supports_tool_calling").orElse(false),
                table.string("tool_call_format").orElse("generic"),
                texts(table, "builtin_tools"));
    }

    /** The card as it is kept on disk; {@link #read} gives it back. */
    static String write(ModelCard card) {
        JsonObject all = (JsonObject) Records.toSnakeJson(card);
        JsonObject.Builder kept = JsonObject.builder();
        all.members().forEach((name, value) -> {
            if (KEYS.contains(name) && !(value instanceof JsonNull)) {
                kept.put(name, value instanceof JsonObject table ? withoutNulls(table) : value);
            }
        });
        return Toml.write(kept.build());
    }

    private static JsonObject withoutNulls(JsonObject table) {
        JsonObject.Builder kept = JsonObject.builder();
        table.members().forEach((name, value) -> {
            if (!(value instanceof JsonNull)) {
                kept.put(name, value);
            }
        });
        return kept.build();
    }

    private static void known(JsonObject object, Set<String> keys, String prefix) {
        for (String key : object.members().keySet()) {
            if (!keys.contains(key)) {
                throw new JsonException(
                        "unknown key '%s%s'; known: %s"
                                .formatted(prefix, key, keys.stream().sorted().toList()),
                        -1);
            }
        }
    }

    private static List<String> texts(JsonObject object, String name) {
        List<String> texts = new ArrayList<>();
        for (Json item : object.array(name).orElse(new JsonArray(List.of()))) {
            if (!(item instanceof JsonString(String text))) {
                throw new JsonException("'%s' must hold texts, not %s".formatted(name, item.kind()), -1);
            }
            texts.add(text);
        }
        return texts;
    }

    private static <T> T required(Optional<T> value, String name) {
        return value.orElseThrow(() -> new JsonException("'%s' is missing".formatted(name), -1));
    }
}
