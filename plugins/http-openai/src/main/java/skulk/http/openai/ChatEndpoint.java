package skulk.http.openai;

import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;

/** {@code POST /v1/chat/completions} (contract section 3). */
record ChatEndpoint(Streaming streaming) {
    void handle(Exchange exchange) throws InterruptedException {
        ChatRequest request =
                ChatRequest.read(exchange.json(), exchange.caller().id());
        long created = Instant.now().getEpochSecond();
        if (request.stream()) {
            streaming.stream(exchange, request.generations(), new ChatFrames(request, created));
        } else {
            streaming.whole(exchange, request.generations(), answers -> reply(request, created, answers));
        }
    }

    static JsonObject reply(ChatRequest request, long created, List<Answer> answers) {
        ChatJson.Head head = new ChatJson.Head(
                request.generation().commandId().value(),
                "chat.completion",
                created,
                request.generation().model().value(),
                request.tier());
        List<JsonObject> choices = IntStream.range(0, answers.size())
                .mapToObj(i -> ChatJson.choice(i, answers.get(i), request))
                .toList();
        return head.with(
                choices,
                ChatJson.usage(ChatJson.sum(answers.stream().map(Answer::end).toList())));
    }
}
