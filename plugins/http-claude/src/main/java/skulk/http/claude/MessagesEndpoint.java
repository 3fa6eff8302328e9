package skulk.http.claude;

import skulk.api.generation.GenerationRequest;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;

/** {@code POST /v1/messages} and {@code POST /v1/messages/count_tokens} (contract section 5). */
record MessagesEndpoint(Streaming streaming) {
    void create(Exchange exchange) throws InterruptedException {
        MessagesRequest request =
                MessagesRequest.read(exchange.json(), exchange.caller().id());
        GenerationRequest generation = request.generation();
        MessageFrames frames = new MessageFrames(
                generation.commandId().value(), generation.model().value(), request.thinkingShown());
        if (request.stream()) {
            streaming.stream(exchange, generation, frames);
        } else {
            streaming.whole(exchange, generation, frames);
        }
    }

    void countTokens(Exchange exchange) {
        GenerationRequest request = MessagesRequest.readForCounting(
                exchange.json(), exchange.caller().id());
        exchange.respond(JsonObject.of("input_tokens", streaming.inference().countTokens(request)));
    }
}
