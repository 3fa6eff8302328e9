package skulk.api.model;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.Memory;
import skulk.api.json.JsonObject;

/**
 * What is known of a model before its files are opened (contract sections 1.1 and 13.4).
 *
 * @param storageSize bytes of all weights
 * @param numKeyValueHeads empty where unknown; then no KV arithmetic is done
 * @param contextLength tokens, 0 = not advertised
 * @param tasks {@code TextGeneration}, {@code TextEmbedding}
 * @param capabilities {@code text}, {@code thinking}, {@code thinking_toggle}, {@code code}, {@code embedding}, …
 * @param components, vision, modalities: kept as they are, Skulk does not read them
 */
public record ModelCard(
        ModelId modelId,
        Memory storageSize,
        int nLayers,
        int hiddenSize,
        boolean supportsTensor,
        Optional<Integer> numKeyValueHeads,
        List<String> tasks,
        Optional<JsonObject> components,
        String family,
        String quantization,
        String baseModel,
        Optional<String> ggufFile,
        List<String> capabilities,
        int contextLength,
        boolean usesCfg,
        boolean trustRemoteCode,
        boolean isCustom,
        Optional<JsonObject> vision,
        Optional<Reasoning> reasoning,
        Optional<JsonObject> modalities,
        Optional<Tooling> tooling,
        Optional<Runtime> runtime,
        Optional<Placement> placement) {

    public ModelCard {
        tasks = List.copyOf(tasks);
        capabilities = List.copyOf(capabilities);
    }

    /** @param format {@code none}, {@code token_delimited} or {@code channel_delimited} */
    public record Reasoning(
            boolean supportsToggle,
            boolean supportsBudget,
            String format,
            Optional<String> defaultEffort,
            Optional<String> disabledEffort) {}

    public record Tooling(boolean supportsToolCalling, String toolCallFormat, List<String> builtinTools) {
        public Tooling {
            builtinTools = List.copyOf(builtinTools);
        }
    }

    /** Rendering, parsing and the companions of speculation; empty = detected from the checkpoint. */
    public record Runtime(
            Optional<String> promptRenderer,
            Optional<String> outputParser,
            Optional<Integer> mtpHeads,
            Optional<Integer> mtpMaxDepth,
            Optional<String> mtpSidecarRepo,
            Optional<String> mtpNormConvention,
            Optional<String> mtpConcatOrder,
            Optional<String> assistantModelRepo) {}

    /** @param attentionWidth numbers of a token in all query heads; empty = as many as in a hidden state */
    public record Placement(
            List<String> compatibleBackends,
            Optional<Double> minVramGib,
            Optional<Integer> maxContextTokens,
            List<String> backendPreference,
            Optional<Integer> attentionWidth) {
        public Placement {
            compatibleBackends = List.copyOf(compatibleBackends);
            backendPreference = List.copyOf(backendPreference);
        }
    }

    public boolean embeds() {
        return tasks.contains("TextEmbedding");
    }

    /** The repositories whose files this model needs beside its own; they count as "in use" with it (runbook). */
    public List<ModelId> companions() {
        List<ModelId> found = new java.util.ArrayList<>();
        vision.flatMap(v -> v.string("weights_repo").or(() -> v.string("weightsRepo")))
                .map(ModelId::new)
                .filter(id -> !id.equals(modelId))
                .ifPresent(found::add);
        runtime.flatMap(Runtime::mtpSidecarRepo).map(ModelId::new).ifPresent(found::add);
        runtime.flatMap(Runtime::assistantModelRepo).map(ModelId::new).ifPresent(found::add);
        return found;
    }
}
