package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** A client without an SDK, over HTTP/1.1 and over HTTP/2 in the clear: what the SDKs' tests do, by hand. Streams are in {@link ChatIT}. */
@ExtendWith(SharedNode.class)
class PlainHttpIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String TOOLS = """
            ,"tools":[{"type":"function","function":{"name":"get_weather","description":"Get current weather for a city.",
             "parameters":{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}}}]""";
    private static final String VERDICT = """
            ,"max_tokens":60,"response_format":{"type":"json_schema","json_schema":{"name":"verdict","strict":true,"schema":
             {"type":"object","properties":{"known":{"type":"boolean"},"colour":{"type":"string","enum":["red","green"]}},
              "required":["known","colour"],"additionalProperties":false}}}""";

    private static String ask(String model, String messages, String more) {
        return "{\"model\":\"%s\",\"temperature\":0,\"messages\":%s%s}".formatted(model, messages, more);
    }

    private static String user(String text) {
        return new skulk.api.json.JsonArray(
                        List.of(JsonObject.of("role", "user").with("content", text)))
                .toString();
    }

    private static HttpRequest.Builder request(ServingNode node, String body) {
        return HttpRequest.newBuilder(URI.create(node.url() + CHAT))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }

    private static HttpResponse<String> send(HttpClient client, ServingNode node, String body) throws Exception {
        HttpRequest request = request(node, body).timeout(ServingNode.PATIENCE).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static JsonObject message(HttpResponse<String> answer) {
        assertEquals(200, answer.statusCode(), answer.body());
        JsonObject choice = (JsonObject) ((JsonObject) Json.parse(answer.body()))
                .array("choices")
                .orElseThrow()
                .items()
                .getFirst();
        return choice.object("message").orElseThrow();
    }

    /** A client that has agreed on the version with the node, as the upgrade comes with the first request. */
    private static HttpClient client(HttpClient.Version version, ServingNode node) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(version).build();
        HttpRequest first =
                HttpRequest.newBuilder(URI.create(node.url() + "/livez")).build();
        client.send(first, HttpResponse.BodyHandlers.ofString());
        assertEquals(
                version,
                client.send(first, HttpResponse.BodyHandlers.ofString()).version());
        return client;
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void callsToolsAndFitsSchemas(HttpClient.Version version, ServingNode node) throws Exception {
        HttpClient client = client(version, node);
        try {
            String question = user("What is the current weather in Boston?");
            JsonObject called = message(send(client, node, ask(ServingNode.TINY, question, TOOLS)));
            JsonObject call = (JsonObject)
                    called.array("tool_calls").orElseThrow().items().getFirst();
            assertEquals(
                    "{\"location\": \"Boston\"}",
                    call.object("function").orElseThrow().string("arguments").orElseThrow());
            String result = JsonObject.of("role", "tool")
                    .with("tool_call_id", call.string("id").orElseThrow())
                    .with("content", "{\"location\":\"Boston\",\"temperature_f\":61,\"condition\":\"cloudy\"}")
                    .toString();
            String conversation = question.substring(0, question.length() - 1) + "," + called + "," + result + "]";
            JsonObject answer = message(send(client, node, ask(ServingNode.TINY, conversation, TOOLS)));
            assertEquals(
                    "It is 61 degrees and cloudy in Boston.",
                    answer.string("content").orElseThrow());
            JsonObject verdict = message(send(client, node, ask(ServingNode.TINY, user("Is the sky blue?"), VERDICT)));
            JsonObject value = (JsonObject) Json.parse(verdict.string("content").orElseThrow());
            assertTrue(value.bool("known").isPresent());
            assertTrue(List.of("red", "green").contains(value.string("colour").orElseThrow()));
        } finally {
            client.shutdownNow(); // close() would wait for what was left
        }
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void errorsHaveTheirStatus(HttpClient.Version version, ServingNode node) throws Exception {
        HttpClient client = client(version, node);
        try {
            String hi = user("Hi");
            assertEquals(404, send(client, node, ask("nobody/nothing", hi, "")).statusCode());
            assertEquals(
                    422,
                    send(client, node, ask(ServingNode.TINY, hi, ",\"top_p\":7"))
                            .statusCode());
            assertEquals(
                    400,
                    send(client, node, ask(ServingNode.TINY, hi, ",\"max_tokens\":1000000"))
                            .statusCode());
            String breaking = user(Scripted.script(Scripted.text("Hel"), Scripted.fail("boom")));
            HttpResponse<String> whole = send(client, node, ask(Scripted.MODEL, breaking, ""));
            assertEquals(500, whole.statusCode());
            assertTrue(whole.body().contains("boom") && !whole.body().contains("Hel"), whole.body());
            String late = user(Scripted.script(Scripted.text("Hello"), Scripted.pause(), Scripted.fail("boom")));
            HttpResponse<String> stream = send(client, node, ask(Scripted.MODEL, late, ",\"stream\":true"));
            assertEquals(200, stream.statusCode());
            assertEquals("Hello", ChatIT.content(stream.body().replaceAll("(?m)^data: \\{\"error.*$", "")));
            assertTrue(stream.body().contains("\"message\":\"boom\""), stream.body());
        } finally {
            client.shutdownNow(); // close() would wait for what was left
        }
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void timeoutsAndLeavingFreeTheModel(HttpClient.Version version, ServingNode node) throws Exception {
        HttpClient client = client(version, node);
        try {
            String hanging = user(Scripted.script(Scripted.text("Hello"), Scripted.hang()));
            HttpRequest impatient = request(node, ask(Scripted.MODEL, hanging, ""))
                    .timeout(Duration.ofMillis(300))
                    .build();
            assertThrows(
                    HttpTimeoutException.class, () -> client.send(impatient, HttpResponse.BodyHandlers.discarding()));
            node.awaitIdle(Scripted.MODEL);
            HttpResponse<InputStream> stream = client.send(
                    request(node, ask(Scripted.MODEL, hanging, ",\"stream\":true"))
                            .build(),
                    HttpResponse.BodyHandlers.ofInputStream());
            assertEquals(version, stream.version());
            try (ServingNode.Lines lines = new ServingNode.Lines(stream)) {
                lines.until(line -> line.contains("Hello"));
            }
            node.awaitIdle(Scripted.MODEL);
        } finally {
            client.shutdownNow(); // close() would wait for what was left
        }
    }
}
