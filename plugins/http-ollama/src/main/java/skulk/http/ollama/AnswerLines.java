package skulk.http.ollama;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;

/**
 * The lines of one answer of chat or generate, or the whole answer as one (contract section 7). Members without a value are left out. The last line has
 * no text of its own, as Ollama's has not: holding text back to join it to the end would delay every token. Used by one thread.
 */
final class AnswerLines {
    private final String model;
    private final boolean chat;
    private final Supplier<Instant> clock;
    private final Instant started;
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder thinking = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private int callsSent;

    /** A tool call. @param arguments JSON text */
    private record Call(String id, String name, String arguments) {
        private Call plus(GenerationEvent.ToolCallDelta delta) {
            return new Call(delta.id().orElse(id), delta.name().orElse(name), arguments + delta.arguments());
        }

        private JsonObject json(int index) {
            JsonObject.Builder call = JsonObject.builder();
            if (!id.isEmpty()) {
                call.put("id", id);
            }
            return call.put(
                            "function",
                            JsonObject.builder()
                                    .put("index", index)
                                    .put("name", name)
                                    .put("arguments", input())
                                    .build())
                    .build();
        }

        /** The arguments; their text where a model wrote something that is no JSON. */
        private Json input() {
            try {
                return arguments.isEmpty() ? JsonObject.EMPTY : Json.parse(arguments);
            } catch (JsonException e) {
                return new JsonString(arguments);
            }
        }
    }

    /** @param chat whether text goes into a message, or into {@code response} */
    AnswerLines(String model, boolean chat, Supplier<Instant> clock) {
        this.model = model;
        this.chat = chat;
        this.clock = clock;
        this.started = clock.get();
    }

    List<JsonObject> event(GenerationEvent event) {
        List<JsonObject> lines = new ArrayList<>();
        switch (event) {
            case GenerationEvent.Text(Channel channel, String text, List<TokenLogprob> probabilities) -> {
                flushCalls(lines, calls.size());
                boolean visible = channel == Channel.CONTENT;
                (visible ? content : thinking).append(text);
                List<TokenLogprob> shown = visible ? probabilities : List.of();
                logprobs.addAll(shown);
                lines.add(line(visible ? text : "", visible ? Optional.empty() : Optional.of(text), List.of(), shown)
                        .put("done", false)
                        .build());
            }
            case GenerationEvent.ToolCallDelta delta -> {
                while (calls.size() <= delta.index()) {
                    calls.add(new Call("", "", ""));
                }
                flushCalls(lines, delta.index());
                calls.set(delta.index(), calls.get(delta.index()).plus(delta));
            }
            case Finished finished -> {
                flushCalls(lines, calls.size());
                lines.add(end(line("", Optional.empty(), List.of(), List.of()), finished));
            }
            case GenerationEvent.Failed(Problem problem) ->
                lines.add(line(chat ? problem.message() : "", Optional.empty(), List.of(), List.of())
                        .put("done", true)
                        .put("done_reason", "error")
                        // stock clients raise what stands here
                        .put("error", problem.message())
                        .build());
            case GenerationEvent.Accepted accepted -> {}
            case GenerationEvent.Prefill prefill -> {}
            case GenerationEvent.Committed committed -> {}
        }
        return lines;
    }

    /** Calls go out whole, each as soon as the next thing begins. */
    private void flushCalls(List<JsonObject> lines, int before) {
        for (; callsSent < before; callsSent++) {
            List<JsonObject> call = List.of(calls.get(callsSent).json(callsSent));
            lines.add(line("", Optional.empty(), call, List.of())
                    .put("done", false)
                    .build());
        }
    }

    /** The whole answer. */
    JsonObject whole(Finished finished) {
        List<JsonObject> all = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            all.add(calls.get(i).json(i));
        }
        Optional<String> thought = thinking.isEmpty() ? Optional.empty() : Optional.of(thinking.toString());
        return end(line(content.toString(), thought, all, logprobs), finished);
    }

    /** The answer to a client that only wanted the model to be there. */
    JsonObject loaded() {
        return line("", Optional.empty(), List.of(), List.of())
                .put("done", true)
                .put("done_reason", "load")
                .build();
    }

    private JsonObject.Builder line(
            String text, Optional<String> thought, List<JsonObject> toolCalls, List<TokenLogprob> tokens) {
        JsonObject.Builder line = JsonObject.builder()
                .put("model", model)
                .put("created_at", clock.get().truncatedTo(ChronoUnit.SECONDS).toString());
        JsonObject.Builder part = chat ? JsonObject.builder().put("role", "assistant") : line;
        part.put(chat ? "content" : "response", text).putIfPresent("thinking", thought);
        if (!toolCalls.isEmpty()) {
            part.put("tool_calls", toolCalls);
        }
        if (chat) {
            line.put("message", part.build());
        }
        if (!tokens.isEmpty()) {
            line.put("logprobs", tokens.stream().map(AnswerLines::token).toList());
        }
        return line;
    }

    private static JsonObject token(TokenLogprob token) {
        JsonObject.Builder json = JsonObject.builder()
                .put("token", token.token())
                .put("logprob", token.logprob())
                .put("bytes", token.bytes());
        if (!token.top().isEmpty()) {
            json.put(
                    "top_logprobs", token.top().stream().map(AnswerLines::token).toList());
        }
        return json.build();
    }

    private JsonObject end(JsonObject.Builder line, Finished finished) {
        int fresh = finished.usage().promptTokens() - finished.usage().cachedTokens();
        return line.put("done", true)
                .put("done_reason", doneReason(finished.reason()))
                .put(
                        "total_duration",
                        java.time.Duration.between(started, clock.get()).toNanos())
                .put("load_duration", 0)
                .put("prompt_eval_count", finished.usage().promptTokens())
                .put("prompt_eval_duration", nanos(fresh, finished.stats().promptTps()))
                .put("eval_count", finished.usage().completionTokens())
                .put(
                        "eval_duration",
                        nanos(
                                finished.usage().completionTokens(),
                                finished.stats().generationTps()))
                .build();
    }

    private static long nanos(int tokens, double perSecond) {
        return perSecond > 0 ? Math.round(tokens / perSecond * 1e9) : 0;
    }

    private String doneReason(FinishReason reason) {
        if (reason == FinishReason.LENGTH) {
            return "length";
        }
        return calls.isEmpty() ? "stop" : "tool_call";
    }
}
