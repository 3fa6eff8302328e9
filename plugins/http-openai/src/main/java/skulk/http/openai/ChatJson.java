package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Stats;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** The JSON of chat completions (contract section 3). Members without a value are written as null. */
final class ChatJson {
    private ChatJson() {}

    /**
     * What all chunks of one answer share.
     *
     * @param created seconds since the epoch
     * @param tier where the client asked for one
     */
    record Head(String id, String object, long created, String model, Optional<String> tier) {
        JsonObject with(List<? extends Json> choices, Json usage) {
            return JsonObject.builder()
                    .put("id", id)
                    .put("object", object)
                    .put("created", created)
                    .put("model", model)
                    .put("choices", choices)
                    .put("usage", usage)
                    .put("service_tier", tier)
                    .build();
        }
    }

    /** The part of a message that a delta or a whole answer fills. */
    record Said(Json content, Json reasoning, Json toolCalls, Json functionCall) {
        static final Said NOTHING = new Said(Json.NULL, Json.NULL, Json.NULL, Json.NULL);

        static Said content(String text) {
            return new Said(Json.of(text), Json.NULL, Json.NULL, Json.NULL);
        }

        static Said reasoning(String text) {
            return new Said(Json.NULL, Json.of(text), Json.NULL, Json.NULL);
        }

        static Said toolCalls(JsonObject... calls) {
            return new Said(Json.NULL, Json.NULL, Json.of(List.of(calls)), Json.NULL);
        }

        static Said functionCall(JsonObject call) {
            return new Said(Json.NULL, Json.NULL, Json.NULL, call);
        }

        JsonObject message() {
            return JsonObject.builder()
                    .put("role", "assistant")
                    .put("content", content)
                    .put("reasoning_content", reasoning)
                    .put("name", null)
                    .put("tool_calls", toolCalls)
                    .put("tool_call_id", null)
                    .put("function_call", functionCall)
                    .build();
        }
    }

    static JsonObject chunkChoice(int index, Said delta, List<TokenLogprob> logprobs, Json finishReason) {
        return JsonObject.builder()
                .put("index", index)
                .put("delta", delta.message())
                .put("logprobs", logprobs(logprobs))
                .put("finish_reason", finishReason)
                .put("usage", null)
                .build();
    }

    /** One choice of a whole answer. */
    static JsonObject choice(int index, Answer answer, ChatRequest request) {
        boolean called = !answer.calls().isEmpty();
        List<JsonObject> calls = new ArrayList<>();
        for (int i = 0; i < answer.calls().size(); i++) {
            calls.add(toolCall(i, answer.calls().get(i)));
        }
        boolean legacy = request.legacyFunctions();
        Json functionCall = called && legacy ? functionCall(answer.calls().getFirst()) : Json.NULL;
        Said said = new Said(
                Json.of(answer.content()),
                answer.reasoning().isEmpty() ? Json.NULL : Json.of(answer.reasoning()),
                called && !legacy ? Json.of(calls) : Json.NULL,
                functionCall);
        Json logprobs = request.generation().logprobs().isPresent() ? content(answer.logprobs()) : Json.NULL;
        return JsonObject.builder()
                .put("index", index)
                .put("message", said.message())
                .put("logprobs", logprobs)
                .put("finish_reason", finishReason(answer.end(), called, legacy))
                .build();
    }

    /** OpenAI's word; an answer that calls ended for its calls whatever the engine says of the text. */
    static String finishReason(Finished end, boolean called, boolean legacy) {
        return switch (end.reason()) {
            case STOP, TOOL_CALLS -> called ? (legacy ? "function_call" : "tool_calls") : "stop";
            case LENGTH, CONTENT_FILTER, ERROR -> end.reason().toString();
        };
    }

    private static JsonObject toolCall(int index, Answer.Call call) {
        return JsonObject.builder()
                .put("id", call.id())
                .put("index", index)
                .put("type", "function")
                .put(
                        "function",
                        JsonObject.builder()
                                .put("id", call.id())
                                .put("name", call.name())
                                .put("arguments", call.arguments())
                                .build())
                .build();
    }

    private static JsonObject functionCall(Answer.Call call) {
        return JsonObject.builder()
                .put("name", call.name())
                .put("arguments", call.arguments())
                .build();
    }

    static Json logprobs(List<TokenLogprob> tokens) {
        return tokens.isEmpty() ? Json.NULL : content(tokens);
    }

    private static JsonObject content(List<TokenLogprob> tokens) {
        return JsonObject.of("content", tokens.stream().map(ChatJson::token).toList());
    }

    private static JsonObject token(TokenLogprob token) {
        return tokenHead(token)
                .with(
                        "top_logprobs",
                        token.top().stream().map(ChatJson::tokenHead).toList());
    }

    static JsonObject tokenHead(TokenLogprob token) {
        return JsonObject.builder()
                .put("token", token.token())
                .put("logprob", token.logprob())
                .put("bytes", token.bytes())
                .build();
    }

    /** Several choices share one prompt, so that it counts once. */
    static Usage sum(List<Finished> ends) {
        Usage first = ends.getFirst().usage();
        int completion = 0;
        int reasoning = 0;
        int accepted = 0;
        int rejected = 0;
        for (Finished end : ends) {
            completion += end.usage().completionTokens();
            reasoning += end.usage().reasoningTokens();
            accepted += end.usage().acceptedDraft();
            rejected += end.usage().rejectedDraft();
        }
        return new Usage(first.promptTokens(), completion, first.cachedTokens(), reasoning, accepted, rejected);
    }

    static JsonObject usage(Usage usage) {
        return JsonObject.builder()
                .put("prompt_tokens", usage.promptTokens())
                .put("completion_tokens", usage.completionTokens())
                .put("total_tokens", usage.promptTokens() + usage.completionTokens())
                .put(
                        "prompt_tokens_details",
                        JsonObject.builder()
                                .put("cached_tokens", usage.cachedTokens())
                                .put("audio_tokens", 0)
                                .build())
                .put(
                        "completion_tokens_details",
                        JsonObject.builder()
                                .put("reasoning_tokens", usage.reasoningTokens())
                                .put("audio_tokens", 0)
                                .put("accepted_prediction_tokens", usage.acceptedDraft())
                                .put("rejected_prediction_tokens", usage.rejectedDraft())
                                .build())
                .build();
    }

    /** Measured speed; choices run side by side, so that their output speeds add up. @param memory the memory object's form */
    static JsonObject stats(List<Finished> ends, String memory) {
        Stats first = ends.getFirst().stats();
        Usage usage = sum(ends);
        double generationTps =
                ends.stream().mapToDouble(e -> e.stats().generationTps()).sum();
        long peak =
                ends.stream().mapToLong(e -> e.stats().peakMemoryBytes()).max().orElse(0);
        return JsonObject.builder()
                .put("prompt_tps", first.promptTps())
                .put("generation_tps", generationTps)
                .put("prompt_tokens", usage.promptTokens())
                .put("generation_tokens", usage.completionTokens())
                .put("peak_memory_usage", JsonObject.of(memory, peak))
                .build();
    }
}
