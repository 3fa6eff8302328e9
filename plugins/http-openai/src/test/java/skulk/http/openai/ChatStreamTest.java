package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.http.openai.Dialect.accepted;
import static skulk.http.openai.Dialect.arguments;
import static skulk.http.openai.Dialect.call;
import static skulk.http.openai.Dialect.failed;
import static skulk.http.openai.Dialect.finished;
import static skulk.http.openai.Dialect.prefill;
import static skulk.http.openai.Dialect.text;
import static skulk.http.openai.Dialect.thought;

import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeExchange;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.problem.Problem.Kind;

class ChatStreamTest {
    private static final String ROUTE = "/v1/chat/completions";
    private static final String ASK =
            "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    private static final String USAGE = "{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8,"
            + "\"prompt_tokens_details\":{\"cached_tokens\":2,\"audio_tokens\":0},"
            + "\"completion_tokens_details\":{\"reasoning_tokens\":1,\"audio_tokens\":0,"
            + "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
    private static final String STATS = ": generation_stats {\"prompt_tps\":100.5,\"generation_tps\":20.25,"
            + "\"prompt_tokens\":5,\"generation_tokens\":3,\"peak_memory_usage\":{\"in_bytes\":1000}}";

    private final Dialect dialect = new Dialect("{\"keep_alive_seconds\":0.1}");

    @AfterEach
    void stop() {
        dialect.close();
    }

    private static String chunk(String delta, String logprobs, String finish, String usage) {
        return ("data: {\"id\":\"ID\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"m\",\"choices\":["
                        + "{\"index\":0,\"delta\":{\"role\":\"assistant\",%s,\"tool_call_id\":null,\"function_call\":null},"
                        + "\"logprobs\":%s,\"finish_reason\":%s,\"usage\":null}],\"usage\":%s,\"service_tier\":null}")
                .formatted(delta, logprobs, finish, usage);
    }

    private static String content(String text) {
        return chunk(
                "\"content\":\"" + text + "\",\"reasoning_content\":null,\"name\":null,\"tool_calls\":null",
                "null",
                "null",
                "null");
    }

    private static String tools(String content, String calls, String finish, String usage) {
        return chunk(
                "\"content\":" + content + ",\"reasoning_content\":null,\"name\":null,\"tool_calls\":" + calls,
                "null",
                finish,
                usage);
    }

    @Test
    void textInTheOrderOfTheContract() {
        dialect.playing(accepted(), prefill(3, 5), prefill(5, 5), text("Hel"), text("lo"), finished());
        assertEquals(
                List.of(
                        ": keep-alive",
                        ": command_id ID",
                        ": prefill_progress {\"PrefillProgressChunk\":{\"model\":\"m\",\"processed_tokens\":3,\"total_tokens\":5}}",
                        ": prefill_progress {\"PrefillProgressChunk\":{\"model\":\"m\",\"processed_tokens\":5,\"total_tokens\":5}}",
                        content("Hel"),
                        content("lo"),
                        tools("\"\"", "null", "\"stop\"", "null"),
                        tools("\"\"", "null", "\"stop\"", USAGE),
                        STATS,
                        "data: [DONE]"),
                dialect.stream(ROUTE, ASK + "}"));
    }

    @Test
    void reasoningHasAFieldOfItsOwn() {
        dialect.playing(accepted(), thought("hm"), text("4"), finished(FinishReason.LENGTH));
        List<String> frames = dialect.stream(ROUTE, ASK + "}");
        assertEquals(
                chunk(
                        "\"content\":null,\"reasoning_content\":\"hm\",\"name\":null,\"tool_calls\":null",
                        "null",
                        "null",
                        "null"),
                frames.get(2));
        assertEquals(content("4"), frames.get(3));
        assertEquals(tools("\"\"", "null", "\"length\"", "null"), frames.get(4));
        assertEquals(tools("\"\"", "null", "\"length\"", USAGE), frames.get(5));
    }

    @Test
    void argumentsOfToolCallsAreStreamed() {
        dialect.playing(accepted(), call(0, "call_1", "add"), arguments(0, "{\"a\":"), arguments(0, "1}"), finished());
        List<String> frames = dialect.stream(ROUTE, ASK + "}");
        assertEquals(
                tools(
                        "null",
                        "[{\"id\":\"call_1\",\"index\":0,\"type\":\"function\",\"function\":{\"id\":\"call_1\",\"name\":\"add\",\"arguments\":\"\"}}]",
                        "null",
                        "null"),
                frames.get(2));
        assertEquals(
                tools("null", "[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}]", "null", "null"),
                frames.get(3));
        assertEquals(tools("null", "null", "\"tool_calls\"", "null"), frames.get(5));
        assertEquals(tools("null", "null", "\"tool_calls\"", USAGE), frames.get(6));
    }

    @Test
    void functionsAreAnsweredInTheirOlderForm() {
        dialect.playing(accepted(), call(0, "call_1", "add"), arguments(0, "{}"), finished());
        List<String> frames = dialect.stream(ROUTE, ASK + ",\"functions\":[{\"name\":\"add\"}]}");
        assertTrue(frames.get(2).contains("\"tool_calls\":null"), frames.get(2));
        assertTrue(frames.get(2).contains("\"function_call\":{\"name\":\"add\",\"arguments\":\"\"}"), frames.get(2));
        assertTrue(frames.get(4).contains("\"finish_reason\":\"function_call\""), frames.get(4));
    }

    @Test
    void logprobsCarryBytes() {
        TokenLogprob token = new TokenLogprob(
                "é", -0.5, List.of(195, 169), List.of(new TokenLogprob("e", -1.5, List.of(101), List.of())));
        dialect.playing(accepted(), new Text(Channel.CONTENT, "é", List.of(token)), finished());
        List<String> frames = dialect.stream(ROUTE, ASK + ",\"logprobs\":true,\"top_logprobs\":1}");
        assertEquals(
                chunk(
                        "\"content\":\"é\",\"reasoning_content\":null,\"name\":null,\"tool_calls\":null",
                        "{\"content\":[{\"token\":\"é\",\"logprob\":-0.5,\"bytes\":[195,169],\"top_logprobs\":[{\"token\":\"e\",\"logprob\":-1.5,\"bytes\":[101]}]}]}",
                        "null",
                        "null"),
                frames.get(2));
        assertEquals(1, dialect.inference.requests().getFirst().logprobs().orElseThrow());
    }

    @Test
    void aFailureInTheMiddleIsAnErrorEventAndTheEnd() {
        dialect.playing(accepted(), text("Hel"), failed(Kind.NOT_READY, "instance_lost", "The instance was lost"));
        List<String> frames = dialect.stream(ROUTE, ASK + "}");
        assertEquals(
                List.of(
                        "data: {\"error\":{\"message\":\"The instance was lost\",\"type\":\"InternalServerError\",\"param\":null,\"code\":500}}",
                        "data: [DONE]"),
                frames.subList(3, frames.size()));
    }

    @Test
    void anOverflowAfterTheFirstBytesSaysWhoseFaultItIs() {
        dialect.playing(
                accepted(), failed(Kind.USER_ERROR, "context_length_exceeded", "context_length_exceeded: too long"));
        List<String> frames = dialect.stream(ROUTE, ASK + "}");
        assertEquals(
                "data: {\"error\":{\"message\":\"context_length_exceeded: too long\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":400}}",
                frames.get(2));
    }

    @Test
    void aFailureBeforeAnythingIsAStatus() {
        dialect.playing(failed(Kind.USER_ERROR, "context_length_exceeded", "context_length_exceeded: too long"));
        FakeExchange exchange = dialect.post(ROUTE, ASK + "}");
        assertEquals(400, exchange.status());
        assertEquals(
                "{\"error\":{\"message\":\"context_length_exceeded: too long\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":400}}",
                exchange.text());
        dialect.playing(failed(Kind.NOT_READY, "instance_lost", "lost"));
        assertEquals(500, dialect.post(ROUTE, ASK + "}").status());
    }

    @Test
    void aRefusedRequestIsAStatus() {
        FakeExchange exchange = dialect.post(ROUTE, ASK + "}");
        assertEquals(404, exchange.status());
        assertEquals(
                "{\"error\":{\"message\":\"No instance found for model m\",\"type\":\"Not Found\",\"param\":null,\"code\":404}}",
                exchange.text());
    }

    @Test
    void theFirstBytesDoNotWaitForTheModel() throws Exception {
        dialect.playing();
        FakeExchange exchange = new FakeExchange().body(ASK + "}");
        long start = System.nanoTime();
        Thread handler = Thread.startVirtualThread(() -> exchange.run(dialect.feature, "POST", ROUTE));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(1))
                .until(() -> exchange.streamed().startsWith(": keep-alive\n\n: command_id "));
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < 1000, "first bytes after " + millis + " ms"); // 100 ms on a machine of one's own
        Awaitility.await().until(() -> exchange.streamed().endsWith(": keep-alive\n\n: keep-alive\n\n"));
        handler.interrupt();
        handler.join();
        assertTrue(exchange.streamed().contains("This node is stopping; please retry."), exchange.streamed());
    }

    @Test
    void aClientThatLeavesCancelsTheGeneration() {
        dialect.playing(accepted());
        FakeExchange exchange = new FakeExchange().body(ASK + "}").leavingAfter(3);
        exchange.run(dialect.feature, "POST", ROUTE);
        assertEquals(1, dialect.inference.cancelled());
    }

    @Test
    void whoAsksForATierIsToldWhichItWas() {
        try (Dialect dialect = new Dialect()) {
            dialect.playing(Dialect.accepted(), Dialect.text("a"), Dialect.finished());
            String body =
                    "{\"model\":\"m\",\"service_tier\":\"flex\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
            for (String stream : List.of("true", "false")) {
                FakeExchange exchange = dialect.post("/v1/chat/completions", body.formatted(stream));
                String answer = exchange.response() == null ? exchange.streamed() : exchange.text();
                assertTrue(answer.contains("\"service_tier\":\"default\""), answer);
            }
        }
    }

    @Test
    void severalChoicesRunSideBySide() {
        dialect.playing(accepted(), text("x"), finished());
        List<String> frames = dialect.stream(ROUTE, ASK + ",\"n\":3,\"seed\":7}");
        assertEquals(
                List.of(7L, 8L, 9L),
                dialect.inference.requests().stream()
                        .map(r -> r.sampling().seed().orElseThrow())
                        .toList());
        for (int i = 0; i < 3; i++) {
            String index = "\"choices\":[{\"index\":" + i + ",";
            assertEquals(
                    2,
                    frames.stream()
                            .filter(f -> f.contains(index) && f.contains("\"usage\":null,\"service_tier\""))
                            .count());
        }
        List<String> withUsage =
                frames.stream().filter(f -> f.contains("\"usage\":{")).toList();
        assertEquals(1, withUsage.size());
        assertTrue(withUsage.getFirst().contains("\"completion_tokens\":9,\"total_tokens\":14"));
        assertEquals("data: [DONE]", frames.getLast());
        assertEquals(0, dialect.inference.cancelled());
    }

    @Test
    void oneFailedChoiceEndsThemAll() {
        dialect.inference.playing(request -> request.sampling().seed().orElseThrow() == 7
                ? List.of(accepted(), text("x"))
                : List.of(accepted(), failed(Kind.INTERNAL, "", "broken")));
        List<String> frames = dialect.stream(ROUTE, ASK + ",\"n\":2,\"seed\":7}");
        assertTrue(frames.get(frames.size() - 2).contains("broken"));
        assertFalse(frames.toString().contains("generation_stats"));
        assertEquals(1, dialect.inference.cancelled());
    }
}
