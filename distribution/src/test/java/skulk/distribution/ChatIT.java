package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** Chat over plain HTTP with the embedded model: framing, errors, and clients that leave. */
@ExtendWith(SharedNode.class)
class ChatIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String CAPITAL = "The capital of France is Paris.";

    /** The end token (2) is forbidden, so that the answer goes on to its limit. */
    private static final String ENDLESS = """
            {"model":"skulk/tiny-chat-4bit","stream":true,"temperature":0,"logit_bias":{"2":-100},"max_tokens":1900,
             "messages":[{"role":"user","content":"Tell me a story."}]}""";

    private static String asking(String question, String more) {
        return """
                {"model":"skulk/tiny-chat-4bit","temperature":0,"messages":[{"role":"user","content":"%s"}]%s}""".formatted(question, more);
    }

    private static String france(String more) {
        return asking("What is the capital of France?", more);
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void streamsInTheFramesOfTheContract(HttpClient.Version version, ServingNode node) throws Exception {
        try (HttpClient client = HttpClient.newBuilder().version(version).build()) {
            HttpRequest first =
                    HttpRequest.newBuilder(URI.create(node.url() + "/livez")).build();
            client.send(first, HttpResponse.BodyHandlers.ofString()); // the upgrade to HTTP/2 happens with it
            HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + CHAT))
                    .header("Content-Type", "application/json")
                    .timeout(ServingNode.PATIENCE)
                    .POST(HttpRequest.BodyPublishers.ofString(france(",\"stream\":true")))
                    .build();
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertEquals(version, response.version());
            assertEquals(200, response.statusCode());
            assertTrue(
                    response.headers().firstValue("Content-Type").orElseThrow().startsWith("text/event-stream"));
            assertEquals(
                    "no-cache", response.headers().firstValue("Cache-Control").orElseThrow());
            assertEquals(
                    "no", response.headers().firstValue("X-Accel-Buffering").orElseThrow());
            String id = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
            String chunk = "data: \\{\"id\":\"\\1\",\"object\":\"chat\\.completion(\\.chunk)?\",\"created\":\\d+,"
                    + "\"model\":\"skulk/tiny-chat-4bit\",\"choices\":\\[\\{\"index\":0,\"delta\":\\{\"role\":\"assistant\","
                    + "\"content\":%s,\"reasoning_content\":null,\"name\":null,\"tool_calls\":null,\"tool_call_id\":null,"
                    + "\"function_call\":null\\},\"logprobs\":null,\"finish_reason\":%s,\"usage\":null\\}\\],\"usage\":%s,"
                    + "\"service_tier\":null\\}\n\n";
            String usage =
                    "\\{\"prompt_tokens\":\\d+,\"completion_tokens\":\\d+,\"total_tokens\":\\d+,\"prompt_tokens_details\":"
                            + "\\{\"cached_tokens\":\\d+,\"audio_tokens\":0\\},\"completion_tokens_details\":\\{\"reasoning_tokens\":0,"
                            + "\"audio_tokens\":0,\"accepted_prediction_tokens\":\\d+,\"rejected_prediction_tokens\":\\d+\\}\\}";
            String keepAlives = "(: keep-alive\n\n)*";
            Pattern frames = Pattern.compile(": keep-alive\n\n" + keepAlives
                    + ": command_id (" + id + ")\n\n"
                    + "(: prefill_progress \\{\"PrefillProgressChunk\":\\{\"model\":\"skulk/tiny-chat-4bit\","
                    + "\"processed_tokens\":\\d+,\"total_tokens\":\\d+\\}\\}\n\n|: keep-alive\n\n)*"
                    + "(" + chunk.formatted("\"[^\"]*\"", "null", "null").replace("\\1", "\\2") + keepAlives + ")+"
                    + chunk.formatted("\"\"", "\"stop\"", "null").replace("\\1", "\\2")
                    + chunk.formatted("\"\"", "\"stop\"", usage).replace("\\1", "\\2")
                    + ": generation_stats \\{\"prompt_tps\":[0-9.E-]+,\"generation_tps\":[0-9.E-]+,\"prompt_tokens\":\\d+,"
                    + "\"generation_tokens\":\\d+,\"peak_memory_usage\":\\{\"in_bytes\":\\d+\\}\\}\n\n"
                    + "data: \\[DONE\\]\n\n");
            assertTrue(frames.matcher(response.body()).matches(), response.body());
            assertEquals(CAPITAL, content(response.body()));
        }
    }

    /** All content of a stream of chunks. */
    static String content(String stream) {
        StringBuilder all = new StringBuilder();
        stream.lines().filter(line -> line.startsWith("data: {")).forEach(line -> {
            JsonObject choice = choice((JsonObject) Json.parse(line.substring(6)));
            all.append(choice.object("delta").orElseThrow().string("content").orElse(""));
        });
        return all.toString();
    }

    private static JsonObject choice(JsonObject reply) {
        return (JsonObject) reply.array("choices").orElseThrow().items().getFirst();
    }

    @Test
    void answersWhole(ServingNode node) throws Exception {
        JsonObject reply = node.postJson(CHAT, france(""));
        assertEquals(
                CAPITAL,
                choice(reply).object("message").orElseThrow().string("content").orElseThrow());
        assertEquals("stop", choice(reply).string("finish_reason").orElseThrow());
        assertEquals(
                16, reply.object("usage").orElseThrow().integer("prompt_tokens").orElseThrow());
        JsonObject bench = node.postJson("/bench/chat/completions", france(""));
        assertTrue(bench.object("generation_stats")
                        .orElseThrow()
                        .number("generation_tps")
                        .orElseThrow()
                > 0);
        assertTrue(bench.has("power_usage"));
    }

    @Test
    void refusesWithTheStatusAndWordsOfTheContract(ServingNode node) throws Exception {
        HttpResponse<String> absent = node.post(CHAT, france("").replace(ServingNode.TINY, "nobody/nothing"));
        assertEquals(404, absent.statusCode());
        JsonObject error =
                ((JsonObject) Json.parse(absent.body())).object("error").orElseThrow();
        assertEquals(
                "No instance found for model nobody/nothing",
                error.string("message").orElseThrow());
        assertEquals("Not Found", error.string("type").orElseThrow());
        assertEquals(404, error.integer("code").orElseThrow());
        assertTrue(error.has("param"));

        HttpResponse<String> tooLong = node.post(CHAT, france(",\"max_tokens\":999999"));
        assertEquals(400, tooLong.statusCode());
        assertTrue(tooLong.body().contains("context_length_exceeded"), tooLong.body());
        HttpResponse<String> tooMuch = node.post(CHAT, asking("word ".repeat(3000), ""));
        assertEquals(400, tooMuch.statusCode(), tooMuch.body());
        assertTrue(tooMuch.body().contains("context_length_exceeded"), tooMuch.body());

        assertEquals(
                400,
                node.post(CHAT, asking("", "").replace("[{\"role\":\"user\",\"content\":\"\"}]", "[]"))
                        .statusCode());
        assertEquals(400, node.post(CHAT, france(",\"max_tokens\":0")).statusCode());
        for (String wrong : List.of("", "{", "[]", "{}", france(",\"colour\":\"red\""), france(",\"top_p\":\"a\""))) {
            HttpResponse<String> invalid = node.post(CHAT, wrong);
            assertEquals(422, invalid.statusCode(), wrong);
            JsonObject detail = (JsonObject) ((JsonObject) Json.parse(invalid.body()))
                    .array("detail")
                    .orElseThrow()
                    .items()
                    .getFirst();
            assertTrue(detail.has("type") && detail.has("loc") && detail.has("msg"), invalid.body());
        }
        assertEquals(
                "{\"detail\":\"Not Found\"}", node.process().get("/v1/nothing").body());
        assertEquals(405, node.process().get(CHAT).statusCode());
    }

    @Test
    void aClientThatLeavesFreesItsPlace(ServingNode node) throws Exception {
        for (String body : List.of(ENDLESS, ENDLESS.replace("\"stream\":true", "\"stream\":true,\"n\":2"))) {
            try (ServingNode.Lines stream = node.open(CHAT, body)) {
                stream.until(line -> line.startsWith("data: {"));
                assertTrue(node.metric("skulk_requests_in_flight") > 0);
            }
            node.awaitIdle(ServingNode.TINY);
        }
    }

    @Test
    void aCancelledCommandEnds(ServingNode node) throws Exception {
        try (ServingNode.Lines stream = node.open(CHAT, ENDLESS)) {
            String id = stream.until(line -> line.startsWith(": command_id ")).substring(": command_id ".length());
            stream.until(line -> line.startsWith("data: {"));
            HttpResponse<String> cancelled = node.post("/v1/cancel/" + id, "");
            assertEquals(200, cancelled.statusCode());
            assertEquals(
                    JsonObject.of("message", "Command cancelled.").with("command_id", id),
                    Json.parse(cancelled.body()));
            stream.until(line -> line.equals("data: [DONE]"));
            await().atMost(ServingNode.PATIENCE)
                    .until(() -> node.post("/v1/cancel/" + id, "").statusCode() == 404);
        }
        node.awaitIdle(ServingNode.TINY);
    }

    /** The runbook's "Quick Health Checklist", the commands as they stand there. */
    @Test
    void passesTheHealthChecklistOfTheRunbook(ServingNode node) throws Exception {
        JsonObject state = node.process().json("/state");
        assertEquals(1, state.object("node_identities").orElseThrow().members().size());
        JsonObject storage = node.process().json("/store/storage");
        assertTrue(storage.integer("diskFreeBytes").orElseThrow() > 0);
        assertTrue(storage.integer("eventLogBytes").orElseThrow() >= 0);
        String probe = """
                {
                "model": "%s",
                "messages": [{"role": "user", "content": "ping"}],
                "max_tokens": 2
                }""";
        JsonObject pong = node.postJson(CHAT, probe.formatted(ServingNode.TINY));
        assertFalse(choice(pong)
                .object("message")
                .orElseThrow()
                .string("content")
                .orElseThrow()
                .isEmpty());
        HttpResponse<String> absent = node.post(CHAT, probe.formatted("mlx-community/Llama-3.2-1B-Instruct-4bit"));
        assertEquals(404, absent.statusCode());
        assertTrue(absent.body().contains("No instance found for model mlx-community/Llama-3.2-1B-Instruct-4bit"));
    }

    @Test
    void theFirstBytesDoNotWaitForTheModel(ServingNode node) throws Exception {
        String hanging = JsonObject.of("model", Scripted.MODEL)
                .with("stream", true)
                .with(
                        "messages",
                        List.of(JsonObject.of("role", "user").with("content", Scripted.script(Scripted.hang()))))
                .toString();
        try (ServingNode.Lines stream = node.open(CHAT, hanging)) {
            long start = System.nanoTime();
            stream.until(line -> line.equals(": keep-alive"));
            stream.until(line -> line.startsWith(": prefill_progress"));
            stream.until(line -> line.equals(": keep-alive"));
            stream.until(line -> line.equals(": keep-alive"));
            assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(10)) < 0);
        }
        node.awaitIdle(Scripted.MODEL);
    }
}
