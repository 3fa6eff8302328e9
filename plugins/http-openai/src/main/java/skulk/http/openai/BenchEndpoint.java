package skulk.http.openai;

import java.time.Instant;
import skulk.api.Cluster;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;

/** {@code POST /bench/chat/completions}: a whole chat completion with what it cost (contract section 3). */
record BenchEndpoint(Streaming streaming, Cluster cluster) {
    void handle(Exchange exchange) throws InterruptedException {
        ChatRequest request =
                ChatRequest.read(exchange.json(), exchange.caller().id());
        long created = Instant.now().getEpochSecond();
        PowerMeter meter = new PowerMeter(cluster, request.generation().model(), streaming.timer());
        try {
            streaming.whole(exchange, request.generations(), answers -> {
                var ends = answers.stream().map(Answer::end).toList();
                return ChatEndpoint.reply(request, created, answers)
                        .with("generation_stats", stats(ends))
                        .with("power_usage", meter.report());
            });
        } finally {
            meter.stop();
        }
    }

    private static JsonObject stats(java.util.List<Finished> ends) {
        return ChatJson.stats(ends, "inBytes")
                .with("serving_batches", ends.getFirst().stats().batches())
                .with("in_flight_at_admission", ends.getFirst().stats().inFlightAtAdmission());
    }
}
