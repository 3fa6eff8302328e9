package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** One item of a response's output while it grows (contract section 6). Used by one thread. */
final class ResponsesItem {
    /** What it is. */
    enum Kind {
        REASONING,
        MESSAGE,
        FUNCTION_CALL
    }

    private final Kind kind;
    private final String id;
    private final int outputIndex;
    private final String callId;
    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();

    private ResponsesItem(Kind kind, String id, int outputIndex, String callId, String name) {
        this.kind = kind;
        this.id = id;
        this.outputIndex = outputIndex;
        this.callId = callId;
        this.name = name;
    }

    static ResponsesItem reasoning(String id, int outputIndex) {
        return new ResponsesItem(Kind.REASONING, id, outputIndex, "", "");
    }

    static ResponsesItem message(String id, int outputIndex) {
        return new ResponsesItem(Kind.MESSAGE, id, outputIndex, "", "");
    }

    /** @param id of the call as the engine has it, with or without OpenAI's {@code call_} */
    static ResponsesItem call(String id, String name, int outputIndex) {
        String bare = id.startsWith("call_") ? id.substring("call_".length()) : id;
        return new ResponsesItem(Kind.FUNCTION_CALL, "fc_" + bare, outputIndex, "call_" + bare, name);
    }

    Kind kind() {
        return kind;
    }

    String id() {
        return id;
    }

    int outputIndex() {
        return outputIndex;
    }

    String callId() {
        return callId;
    }

    String name() {
        return name;
    }

    String text() {
        return text.toString();
    }

    void append(String more, List<TokenLogprob> probabilities) {
        text.append(more);
        logprobs.addAll(probabilities);
    }

    /** The content part or summary part with what is there so far. */
    JsonObject part() {
        if (kind == Kind.REASONING) {
            return JsonObject.builder()
                    .put("type", "summary_text")
                    .put("text", text())
                    .build();
        }
        return JsonObject.builder()
                .put("type", "output_text")
                .put("text", text())
                .put("annotations", List.of())
                .put("logprobs", logprobs(logprobs))
                .build();
    }

    static Json logprobs(List<TokenLogprob> tokens) {
        return new JsonArray(tokens.stream()
                .<Json>map(token -> ChatJson.tokenHead(token)
                        .with(
                                "top_logprobs",
                                token.top().stream().map(ChatJson::tokenHead).toList()))
                .toList());
    }

    /** The item as it is announced, before it has any part. */
    JsonObject empty() {
        return json("in_progress", List.of(), "");
    }

    /** The item with everything in it. */
    JsonObject full(String status) {
        return json(status, kind == Kind.FUNCTION_CALL ? List.of() : List.of(part()), text());
    }

    private JsonObject json(String status, List<JsonObject> parts, String arguments) {
        JsonObject.Builder json = JsonObject.builder();
        switch (kind) {
            case REASONING -> json.put("type", "reasoning").put("id", id).put("summary", parts);
            case MESSAGE ->
                json.put("type", "message")
                        .put("id", id)
                        .put("role", "assistant")
                        .put("content", parts);
            default ->
                json.put("type", "function_call")
                        .put("id", id)
                        .put("call_id", callId)
                        .put("name", name)
                        .put("arguments", arguments);
        }
        return json.put("status", status).build();
    }
}
