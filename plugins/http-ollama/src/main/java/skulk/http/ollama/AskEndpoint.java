package skulk.http.ollama;

import java.time.Instant;
import skulk.api.Cluster;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** {@code POST …/chat} and {@code POST …/generate} (contract section 7). */
record AskEndpoint(Streaming streaming, Cluster cluster) {
    void chat(Exchange exchange) throws InterruptedException {
        answer(exchange, AskRequest.readChat(exchange.json(), exchange.caller().id()), true);
    }

    void generate(Exchange exchange) throws InterruptedException {
        answer(
                exchange,
                AskRequest.readGenerate(exchange.json(), exchange.caller().id()),
                false);
    }

    private void answer(Exchange exchange, AskRequest request, boolean chat) throws InterruptedException {
        AnswerLines lines = new AnswerLines(request.model(), chat, Instant::now);
        if (!request.empty()) {
            streaming.answer(exchange, request, lines);
            return;
        }
        var view = cluster.view();
        if (view.instancesOf(request.generation().model()).noneMatch(view::serving)) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + request.model());
        }
        if (request.stream()) {
            try (EventStream out = exchange.events(EventStream.Kind.NDJSON)) {
                out.send(lines.loaded() + "\n");
            }
        } else {
            exchange.respond(lines.loaded());
        }
    }
}
