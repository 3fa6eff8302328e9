package skulk.http.openai;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.generation.GenerationRequest;
import skulk.api.http.Exchange;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** {@code POST /v1/completions}: raw prompts, no template. Reasoning text, if a model marks any, is part of the text. */
record CompletionEndpoint(Streaming streaming) {
    void handle(Exchange exchange) throws InterruptedException {
        CompletionRequest request =
                CompletionRequest.read(exchange.json(), exchange.caller().id());
        GenerationRequest first = request.generations().getFirst();
        ChatJson.Head head = new ChatJson.Head(
                first.commandId().value(),
                "text_completion",
                Instant.now().getEpochSecond(),
                first.model().value(),
                Optional.empty());
        if (request.stream()) {
            streaming.stream(exchange, request.generations(), new CompletionFrames(request, head));
        } else {
            streaming.whole(exchange, request.generations(), answers -> reply(request, head, answers));
        }
    }

    private static JsonObject reply(CompletionRequest request, ChatJson.Head head, List<Answer> answers) {
        List<JsonObject> choices = IntStream.range(0, answers.size())
                .mapToObj(i -> choice(request, i, answers.get(i)))
                .toList();
        return head.with(
                choices, ChatJson.usage(sum(answers.stream().map(Answer::end).toList())));
    }

    private static JsonObject choice(CompletionRequest request, int index, Answer answer) {
        String prefix = request.prefix(index);
        return CompletionJson.choice(
                index,
                prefix + answer.reasoning() + answer.content(),
                CompletionJson.logprobs(answer.logprobs(), prefix.length()),
                Json.of(ChatJson.finishReason(answer.end(), false, false)));
    }

    /** Every choice counts with its own prompt, as prompts differ. */
    static Usage sum(List<Finished> ends) {
        Usage generated = ChatJson.sum(ends);
        int prompt = ends.stream().mapToInt(e -> e.usage().promptTokens()).sum();
        int cached = ends.stream().mapToInt(e -> e.usage().cachedTokens()).sum();
        return new Usage(
                prompt,
                generated.completionTokens(),
                cached,
                generated.reasoningTokens(),
                generated.acceptedDraft(),
                generated.rejectedDraft());
    }
}
