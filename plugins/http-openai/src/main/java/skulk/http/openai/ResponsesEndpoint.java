package skulk.http.openai;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import skulk.api.generation.Message;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** {@code POST /v1/responses} and what is kept of it (contract section 6). */
record ResponsesEndpoint(Streaming streaming, ResponseStore store) {
    void create(Exchange exchange) throws InterruptedException {
        String client = exchange.caller().id();
        ResponsesRequest request = ResponsesRequest.read(exchange.json(), client, store);
        ResponsesFrames frames = new ResponsesFrames(
                request, Instant.now().getEpochSecond(), (response, answer) -> keep(request, response, answer));
        if (request.stream()) {
            streaming.stream(exchange, List.of(request.generation()), frames);
        } else {
            streaming.whole(
                    exchange,
                    List.of(request.generation()),
                    answers -> frames.replay(answers.getFirst()).finished());
        }
    }

    private void keep(ResponsesRequest request, JsonObject response, Message answer) {
        if (request.store()) {
            List<Message> conversation = new ArrayList<>(request.history());
            conversation.add(answer);
            store.put(
                    response.string("id").orElseThrow(),
                    request.generation().client(),
                    new ResponseStore.Conversation(response, conversation));
        }
    }

    void get(Exchange exchange) {
        String id = exchange.path("id");
        exchange.respond(store.get(id, exchange.caller().id())
                .orElseThrow(() -> unknown(id))
                .response());
    }

    void delete(Exchange exchange) {
        String id = exchange.path("id");
        if (!store.remove(id, exchange.caller().id())) {
            throw unknown(id);
        }
        exchange.respond(JsonObject.builder()
                .put("id", id)
                .put("object", "response")
                .put("deleted", true)
                .build());
    }

    private static SkulkException unknown(String id) {
        return new SkulkException(Problem.Kind.NOT_FOUND, "Response with id '%s' not found.".formatted(id));
    }
}
