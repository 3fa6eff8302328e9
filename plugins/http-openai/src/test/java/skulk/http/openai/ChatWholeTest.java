package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.http.openai.Dialect.accepted;
import static skulk.http.openai.Dialect.arguments;
import static skulk.http.openai.Dialect.call;
import static skulk.http.openai.Dialect.failed;
import static skulk.http.openai.Dialect.finished;
import static skulk.http.openai.Dialect.text;
import static skulk.http.openai.Dialect.thought;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeExchange;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem.Kind;

class ChatWholeTest {
    private static final String ROUTE = "/v1/chat/completions";
    private static final String ASK = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

    private final Dialect dialect = new Dialect();

    @AfterEach
    void stop() {
        dialect.close();
    }

    private JsonObject choice(FakeExchange exchange) {
        return (JsonObject)
                exchange.jsonResponse().array("choices").orElseThrow().items().getFirst();
    }

    @Test
    void textAndReasoning() {
        dialect.playing(accepted(), thought("hm"), text("Hel"), text("lo"), finished());
        FakeExchange exchange = dialect.post(ROUTE, ASK);
        assertEquals(
                "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\",\"reasoning_content\":\"hm\",\"name\":null,"
                        + "\"tool_calls\":null,\"tool_call_id\":null,\"function_call\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}",
                choice(exchange).toString());
        JsonObject whole = exchange.jsonResponse();
        assertEquals(Optional.of("chat.completion"), whole.string("object"));
        assertEquals(
                dialect.inference.requests().getFirst().commandId().value(),
                whole.string("id").orElseThrow());
        assertTrue(
                Math.abs(whole.integer("created").orElseThrow() - Instant.now().getEpochSecond()) < 60);
        assertEquals(
                List.of("id", "object", "created", "model", "choices", "usage", "service_tier"),
                List.copyOf(whole.members().keySet()));
    }

    @Test
    void toolCallsLeaveTheContentEmpty() {
        dialect.playing(
                accepted(),
                call(0, "a", "f"),
                arguments(0, "{}"),
                call(1, "b", "g"),
                arguments(1, "{\"x\":"),
                arguments(1, "2}"),
                finished());
        JsonObject choice = choice(dialect.post(ROUTE, ASK));
        assertEquals(Optional.of("tool_calls"), choice.string("finish_reason"));
        assertEquals(
                "{\"role\":\"assistant\",\"content\":\"\",\"reasoning_content\":null,\"name\":null,\"tool_calls\":["
                        + "{\"id\":\"a\",\"index\":0,\"type\":\"function\",\"function\":{\"id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"}},"
                        + "{\"id\":\"b\",\"index\":1,\"type\":\"function\",\"function\":{\"id\":\"b\",\"name\":\"g\",\"arguments\":\"{\\\"x\\\":2}\"}}],"
                        + "\"tool_call_id\":null,\"function_call\":null}",
                choice.find("message").orElseThrow().toString());
    }

    @Test
    void aLostInstanceIsA500WithTheEnvelopeAndNoHalfAnswer() {
        dialect.playing(accepted(), text("Hel"), failed(Kind.NOT_READY, "instance_lost", "The instance was lost"));
        FakeExchange exchange = dialect.post(ROUTE, ASK);
        assertEquals(500, exchange.status());
        assertEquals(
                "{\"error\":{\"message\":\"The instance was lost\",\"type\":\"Internal Server Error\",\"param\":null,\"code\":500}}",
                exchange.text());
    }

    @Test
    void aClientThatLeavesCancelsTheGeneration() {
        dialect.playing(accepted());
        new FakeExchange().body(ASK).leavingBeforeResponse().run(dialect.feature, "POST", ROUTE);
        assertEquals(1, dialect.inference.cancelled());
    }

    @Test
    void aBenchmarkAddsItsCost() {
        dialect.playing(accepted(), text("x"), finished());
        JsonObject whole = dialect.post("/bench/chat/completions", ASK.replace("\"m\"", "\"m\",\"stream\":true"))
                .jsonResponse();
        assertEquals(
                "{\"prompt_tps\":100.5,\"generation_tps\":20.25,\"prompt_tokens\":5,\"generation_tokens\":3,"
                        + "\"peak_memory_usage\":{\"inBytes\":1000},\"serving_batches\":true,\"in_flight_at_admission\":1}",
                whole.find("generation_stats").orElseThrow().toString());
        JsonObject power = whole.object("power_usage").orElseThrow();
        assertEquals(
                List.of("elapsed_seconds", "nodes", "total_avg_sys_power_watts", "total_energy_joules"),
                List.copyOf(power.members().keySet()));
        assertTrue(power.number("elapsed_seconds").orElseThrow() >= 0);
    }

    @Test
    void aFailedBenchmarkIsA500() {
        dialect.playing(accepted(), failed(Kind.INTERNAL, "", "broken"));
        assertEquals(500, dialect.post("/bench/chat/completions", ASK).status());
    }

    @Test
    void choicesKeepTheirOrder() {
        dialect.inference.playing(request ->
                List.of(accepted(), text("seed " + request.sampling().seed().orElseThrow()), finished()));
        JsonObject whole = dialect.post(ROUTE, ASK.replace("\"m\"", "\"m\",\"n\":2,\"seed\":1"))
                .jsonResponse();
        assertEquals(
                List.of("seed 1", "seed 2"),
                whole.array("choices").orElseThrow().items().stream()
                        .map(c -> ((JsonObject) c)
                                .object("message")
                                .orElseThrow()
                                .string("content")
                                .orElseThrow())
                        .toList());
        assertEquals(
                Json.of(6L),
                whole.object("usage").orElseThrow().find("completion_tokens").orElseThrow());
        assertEquals(
                Map.of(), dialect.inference.requests().getFirst().sampling().logitBias());
    }
}
