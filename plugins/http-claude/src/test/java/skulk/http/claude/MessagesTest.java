package skulk.http.claude;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.http.claude.Dialect.MESSAGES;
import static skulk.http.claude.Dialect.accepted;
import static skulk.http.claude.Dialect.arguments;
import static skulk.http.claude.Dialect.call;
import static skulk.http.claude.Dialect.failed;
import static skulk.http.claude.Dialect.finished;
import static skulk.http.claude.Dialect.frame;
import static skulk.http.claude.Dialect.text;
import static skulk.http.claude.Dialect.thought;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeExchange;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.problem.Problem.Kind;

class MessagesTest {
    private static final String ASK =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    private static final String STREAM = ASK + ",\"stream\":true}";
    private static final String START = frame(
            "message_start",
            "\"message\":{\"id\":\"msg_ID\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"m\","
                    + "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":0,"
                    + "\"cache_read_input_tokens\":2,\"output_tokens\":0}}");

    private final Dialect dialect = new Dialect("{\"keep_alive_seconds\":0.1}");

    @AfterEach
    void stop() {
        dialect.close();
    }

    private static String end(String reason, String sequence) {
        return frame(
                "message_delta",
                "\"delta\":{\"stop_reason\":\"%s\",\"stop_sequence\":%s},\"usage\":{\"output_tokens\":3}"
                        .formatted(reason, sequence));
    }

    private static String delta(int index, String delta) {
        return frame("content_block_delta", "\"index\":%d,\"delta\":{%s}".formatted(index, delta));
    }

    private static String stop(int index) {
        return frame("content_block_stop", "\"index\":" + index);
    }

    @Test
    void thinkingIsOmittedWhereTheClientDoesNotShowIt() {
        dialect.playing(accepted(), thought("hm"), text("Hello"), finished());
        String body =
                "{\"model\":\"m\",\"max_tokens\":9,\"stream\":%s,\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"},\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
        String whole = dialect.post("/v1/messages", body.formatted(false)).text();
        assertTrue(whole.contains("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"), whole);
        String stream = dialect.post("/v1/messages", body.formatted(true)).streamed();
        assertTrue(stream.contains("\"type\":\"thinking\"") && !stream.contains("thinking_delta"), stream);
        assertTrue(stream.contains("Hello"), stream);
    }

    @Test
    void thinkingTextAndToolUseAreBlocksInTheirOrder() {
        dialect.playing(
                accepted(),
                thought("h"),
                thought("m"),
                text("Hel"),
                text("lo"),
                call(0, "call_7", "add"),
                arguments(0, "{\"a\":"),
                arguments(0, "1}"),
                call(1, "call_8", "now"),
                finished());
        assertEquals(
                List.of(
                        ": keep-alive",
                        START,
                        frame(
                                "content_block_start",
                                "\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"),
                        delta(0, "\"type\":\"thinking_delta\",\"thinking\":\"h\""),
                        delta(0, "\"type\":\"thinking_delta\",\"thinking\":\"m\""),
                        stop(0),
                        frame("content_block_start", "\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
                        delta(1, "\"type\":\"text_delta\",\"text\":\"Hel\""),
                        delta(1, "\"type\":\"text_delta\",\"text\":\"lo\""),
                        stop(1),
                        frame(
                                "content_block_start",
                                "\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_7\",\"name\":\"add\",\"input\":{}}"),
                        delta(2, "\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\""),
                        delta(2, "\"type\":\"input_json_delta\",\"partial_json\":\"1}\""),
                        stop(2),
                        frame(
                                "content_block_start",
                                "\"index\":3,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_8\",\"name\":\"now\",\"input\":{}}"),
                        stop(3),
                        end("tool_use", "null"),
                        frame("message_stop", "")),
                dialect.stream(STREAM));
    }

    @Test
    void stopReasonsAreTrue() {
        dialect.playing(accepted(), text("x"), finished(FinishReason.LENGTH, Optional.empty()));
        assertTrue(dialect.stream(STREAM).contains(end("max_tokens", "null")));
        dialect.playing(accepted(), text("x"), finished(FinishReason.STOP, Optional.of("END")));
        assertTrue(dialect.stream(STREAM).contains(end("stop_sequence", "\"END\"")));
        dialect.playing(accepted(), text("x"), finished());
        assertTrue(dialect.stream(STREAM).contains(end("end_turn", "null")));
    }

    @Test
    void aWholeMessage() {
        dialect.playing(
                accepted(), thought("hm"), text("Hello"), call(0, "x", "f"), arguments(0, "{\"a\":1}"), finished());
        FakeExchange exchange = dialect.post(MESSAGES, ASK + "}");
        String id = dialect.inference.requests().getFirst().commandId().value();
        assertEquals(
                "{\"id\":\"msg_ID\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["
                        + "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"\"},{\"type\":\"text\",\"text\":\"Hello\"},"
                        + "{\"type\":\"tool_use\",\"id\":\"toolu_x\",\"name\":\"f\",\"input\":{\"a\":1}}],\"model\":\"m\","
                        + "\"stop_reason\":\"tool_use\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":0,"
                        + "\"cache_read_input_tokens\":2,\"output_tokens\":3}}",
                exchange.text().replace(id, "ID"));
    }

    @Test
    void aFailureInTheMiddleIsAnErrorEvent() {
        dialect.playing(accepted(), text("x"), failed(Kind.NOT_READY, "The instance was lost"));
        List<String> frames = dialect.stream(STREAM);
        assertEquals(
                frame(
                        "error",
                        "\"error\":{\"type\":\"api_error\",\"message\":\"The instance was lost\",\"param\":null,\"code\":500}"),
                frames.getLast());
    }

    @Test
    void aFailureBeforeAnythingIsAStatus() {
        dialect.playing(failed(Kind.USER_ERROR, "context_length_exceeded: too long"));
        for (String body : List.of(STREAM, ASK + "}")) {
            FakeExchange exchange = dialect.post(MESSAGES, body);
            assertEquals(400, exchange.status());
            assertEquals(
                    "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"context_length_exceeded: too long\",\"param\":null,\"code\":400}}",
                    exchange.text());
        }
    }

    @Test
    void aLostInstanceIsA500() {
        dialect.playing(accepted(), text("x"), failed(Kind.NOT_READY, "lost"));
        assertEquals(500, dialect.post(MESSAGES, ASK + "}").status());
    }

    @Test
    void anUnplacedModelIsNotFound() {
        FakeExchange exchange = dialect.post(MESSAGES, STREAM);
        assertEquals(404, exchange.status());
        assertTrue(exchange.text().contains("\"not_found_error\",\"message\":\"No instance found for model m\""));
    }

    @Test
    void silenceAfterTheStartIsFilledWithPings() throws Exception {
        dialect.playing(accepted(), text("x"));
        FakeExchange exchange = new FakeExchange().body(STREAM);
        Thread handler = Thread.startVirtualThread(() -> exchange.run(dialect.feature, "POST", MESSAGES));
        String ping = frame("ping", "") + "\n\n";
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .until(() -> exchange.streamed().endsWith(ping + ping));
        handler.interrupt();
        handler.join();
        assertEquals(1, dialect.inference.cancelled());
    }

    @Test
    void silenceBeforeTheMessageIsFilledWithComments() throws Exception {
        dialect.playing();
        FakeExchange exchange = new FakeExchange().body(STREAM);
        Thread handler = Thread.startVirtualThread(() -> exchange.run(dialect.feature, "POST", MESSAGES));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .until(() -> exchange.streamed().startsWith(": keep-alive\n\n: keep-alive\n\n"));
        handler.interrupt();
        handler.join();
        assertTrue(exchange.streamed().contains("This node is stopping; please retry."));
    }

    @Test
    void aClientThatLeavesCancelsTheGeneration() {
        dialect.playing(accepted());
        new FakeExchange().body(STREAM).leavingAfter(1).run(dialect.feature, "POST", MESSAGES);
        assertEquals(1, dialect.inference.cancelled());
        new FakeExchange().body(ASK + "}").leavingBeforeResponse().run(dialect.feature, "POST", MESSAGES);
        assertEquals(2, dialect.inference.cancelled());
    }

    @Test
    void tokensAreCounted() {
        FakeExchange exchange = dialect.post(
                "/v1/messages/count_tokens",
                "{\"model\":\"m\",\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[],\"thinking\":{\"type\":\"adaptive\"}}");
        assertEquals(200, exchange.status(), exchange.text());
        assertTrue(exchange.jsonResponse().integer("input_tokens").orElseThrow() > 0);
        assertEquals(
                422,
                dialect.post(
                                "/v1/messages/count_tokens",
                                "{\"model\":\"m\",\"temperature\":1,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}")
                        .status());
    }
}
