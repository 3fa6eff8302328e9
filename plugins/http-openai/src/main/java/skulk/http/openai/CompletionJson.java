package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** The JSON of the older completions endpoint. */
final class CompletionJson {
    private CompletionJson() {}

    static JsonObject choice(int index, String text, Json logprobs, Json finishReason) {
        return JsonObject.builder()
                .put("text", text)
                .put("index", index)
                .put("logprobs", logprobs)
                .put("finish_reason", finishReason)
                .build();
    }

    /** The parallel lists of this endpoint. @param offset of the first token in the whole text */
    static Json logprobs(List<TokenLogprob> tokens, int offset) {
        if (tokens.isEmpty()) {
            return Json.NULL;
        }
        List<Integer> offsets = new ArrayList<>();
        int at = offset;
        for (TokenLogprob token : tokens) {
            offsets.add(at);
            at += token.token().length();
        }
        return JsonObject.builder()
                .put("tokens", tokens.stream().map(TokenLogprob::token).toList())
                .put(
                        "token_logprobs",
                        tokens.stream().map(TokenLogprob::logprob).toList())
                .put("top_logprobs", tokens.stream().map(CompletionJson::top).toList())
                .put("text_offset", offsets)
                .build();
    }

    private static JsonObject top(TokenLogprob token) {
        JsonObject.Builder top = JsonObject.builder();
        token.top().forEach(t -> top.put(t.token(), t.logprob()));
        return top.build();
    }
}
