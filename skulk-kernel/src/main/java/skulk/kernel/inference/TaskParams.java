package skulk.kernel.inference;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** A request as the task list shows it (contract section 1.3, {@code taskParams}). */
final class TaskParams {
    private TaskParams() {}

    static JsonObject of(GenerationRequest request) {
        Sampling sampling = request.sampling();
        return JsonObject.builder()
                .put("model", request.model())
                .put("input", input(request.prompt()))
                .put("max_output_tokens", request.maxTokens())
                .put("temperature", sampling.temperature())
                .put("top_p", sampling.topP())
                .put("top_k", sampling.topK())
                .put("min_p", sampling.minP())
                .put("seed", sampling.seed())
                .put("repetition_penalty", sampling.repetitionPenalty())
                .put("repetition_context_size", sampling.repetitionContextSize())
                .put("stop", request.stop())
                .put("tools", tools(request.prompt()))
                .put("reasoning_effort", request.reasoning().effort())
                .put("enable_thinking", request.reasoning().enabled())
                .put("logprobs", request.logprobs().isPresent())
                .put("top_logprobs", request.logprobs())
                .build();
    }

    static JsonObject of(EmbeddingRequest request) {
        return JsonObject.builder()
                .put("model", request.model())
                .put("input_texts", request.inputs())
                .put("encoding_format", "float")
                .build();
    }

    private static Json input(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Text(String text) -> new JsonString(text);
            case Prompt.Tokens(List<Integer> tokens) -> Json.of(tokens);
            case Prompt.Conversation conversation -> {
                List<Json> messages = new ArrayList<>();
                for (Message message : conversation.messages()) {
                    messages.add(JsonObject.builder()
                            .put("role", message.role())
                            .put("content", message.content())
                            .build());
                }
                yield new JsonArray(messages);
            }
        };
    }

    private static Optional<List<String>> tools(Prompt prompt) {
        return prompt instanceof Prompt.Conversation c && !c.tools().isEmpty()
                ? Optional.of(
                        c.tools().stream().map(GenerationRequest.Tool::name).toList())
                : Optional.empty();
    }
}
