package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import skulk.api.json.JsonObject;

/** What a packaged node puts up with, and how each dialect says no: limits of size and time, slow clients, keys and their limits, pages of other origins. */
class LimitsIT {
    private static final System.Logger LOG = System.getLogger(LimitsIT.class.getName());
    private static final int CLIENTS = 16;
    private static final int BODY_LIMIT = 6_000_000;
    private static final String PAGE = "https://app.example";
    /** Comes from somebody else, through a proxy: needs a key. */
    private static final Map<String, String> ELSEWHERE = Map.of("X-Forwarded-For", "10.0.0.9");

    @TempDir
    private static Path home;

    private static ServingNode node;
    private static Description description;
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void start() throws Exception {
        Scripted.install(home);
        EmbedModels.installPooled(home);
        Files.writeString(home.resolve("skulk.yaml"), """
                api:
                  body_limit_bytes: %d
                  body_timeout_seconds: 2
                  idle_timeout_seconds: 1
                  write_timeout_seconds: 3
                  cors: { origins: [%s] }
                  keys:
                    one-at-a-time: { key: "one-at-a-time-key", scopes: [infer], max_concurrent: 1 }
                    thrifty: { key: "thrifty-key-of-few", scopes: [infer], tokens_per_minute: 40 }
                """.formatted(BODY_LIMIT, PAGE), StandardOpenOption.APPEND);
        node = ServingNode.start(home);
        node.place(ServingNode.TINY, Scripted.MODEL, EmbedModels.POOLED);
        description = Description.of(node.process().json("/api/openapi.json"));
    }

    @AfterAll
    static void stop() {
        CLIENT.shutdownNow();
        node.close();
    }

    /** A route of a dialect and a good body. */
    record Ask(String path, String body) {
        @Override
        public String toString() {
            return path;
        }

        Ask with(String name, String value) {
            return new Ask(path, body.substring(0, body.length() - 1) + ",\"" + name + "\":" + value + "}");
        }
    }

    static List<Ask> dialects() {
        String chat = "{\"model\":\"skulk/tiny-chat-4bit\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        String ollama = chat.replace("{\"model", "{\"stream\":false,\"model");
        return List.of(
                new Ask("/v1/chat/completions", chat),
                new Ask("/v1/completions", "{\"model\":\"skulk/tiny-chat-4bit\",\"prompt\":\"Hi\"}"),
                new Ask("/v1/responses", "{\"model\":\"skulk/tiny-chat-4bit\",\"input\":\"Hi\"}"),
                new Ask("/v1/embeddings", "{\"model\":\"test/pooled\",\"input\":\"Hi\"}"),
                new Ask("/v1/messages", chat.replace("{\"model", "{\"max_tokens\":50,\"model")),
                new Ask("/ollama/api/chat", ollama),
                new Ask("/api/chat", ollama),
                new Ask("/api/embed", "{\"model\":\"test/pooled\",\"input\":\"Hi\"}"));
    }

    private static HttpResponse<String> send(Ask ask, Map<String, String> headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(node.url() + ask.path()))
                .timeout(ServingNode.PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(ask.body()));
        headers.forEach(request::header);
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** An answer of this status in the shape that the description has for the dialect. */
    private static void refused(int status, Ask ask, HttpResponse<String> answer) throws IOException {
        assertEquals(status, answer.statusCode(), answer.body());
        assertEquals(List.of(), description.faults("post", ask.path(), answer));
    }

    @ParameterizedTest
    @MethodSource("dialects")
    void whoHasNoKeyOrTheWrongOneIsToldSo(Ask ask) throws Exception {
        HttpResponse<String> without = send(ask, ELSEWHERE);
        refused(401, ask, without);
        assertTrue(without.headers().firstValue("WWW-Authenticate").isPresent());
        for (String header : List.of("Authorization", "x-api-key")) {
            String wrong = header.equals("x-api-key") ? "made up" : "Bearer made up";
            refused(401, ask, send(ask, Map.of(header, wrong, "X-Forwarded-For", "10.0.0.9")));
            String right = wrong.replace("made up", "one-at-a-time-key");
            HttpResponse<String> answer = send(ask, Map.of(header, right, "X-Forwarded-For", "10.0.0.9"));
            assertEquals(200, answer.statusCode(), answer.body());
        }
    }

    @ParameterizedTest
    @MethodSource("dialects")
    void aPageOfAnotherOriginMayNotCall(Ask ask) throws Exception {
        HttpResponse<String> foreign = send(ask, Map.of("Origin", "https://evil.example"));
        refused(403, ask, foreign);
        assertTrue(foreign.headers().firstValue("Access-Control-Allow-Origin").isEmpty());
        HttpResponse<String> named = send(ask, Map.of("Origin", PAGE));
        assertEquals(200, named.statusCode(), named.body());
        assertEquals(
                PAGE, named.headers().firstValue("Access-Control-Allow-Origin").orElseThrow());
    }

    @Test
    void browsersMayAskBeforehand() throws Exception {
        HttpRequest preflight = HttpRequest.newBuilder(URI.create(node.url() + "/v1/messages"))
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                .header("Origin", PAGE)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "x-api-key,anthropic-version")
                .build();
        HttpResponse<String> answer = CLIENT.send(preflight, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode());
        Map<String, List<String>> headers = answer.headers().map();
        assertEquals(List.of(PAGE), headers.get("access-control-allow-origin"), headers.toString());
        assertEquals(List.of("true"), headers.get("access-control-allow-credentials"));
        assertEquals(List.of("x-api-key,anthropic-version"), headers.get("access-control-allow-headers"));
        assertTrue(headers.get("access-control-allow-methods").getFirst().contains("POST"));
    }

    @ParameterizedTest
    @MethodSource("dialects")
    void aKeyThatHasEnoughUnderWayIsToldWhenToComeAgain(Ask ask) throws Exception {
        Map<String, String> key = Map.of("Authorization", "Bearer one-at-a-time-key");
        HttpRequest hanging = HttpRequest.newBuilder(URI.create(node.url() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer one-at-a-time-key")
                .POST(HttpRequest.BodyPublishers.ofString(
                        scripted(Scripted.text("Hello"), Scripted.hang()).body()))
                .build();
        HttpResponse<InputStream> stream = CLIENT.send(hanging, HttpResponse.BodyHandlers.ofInputStream());
        try (ServingNode.Lines lines = new ServingNode.Lines(stream)) {
            lines.until(line -> line.startsWith("data: {"));
            HttpResponse<String> second = send(ask, key);
            refused(429, ask, second);
            assertTrue(
                    Integer.parseInt(second.headers().firstValue("Retry-After").orElseThrow()) >= 1);
            assertTrue(second.body().contains("one-at-a-time"), second.body());
        }
        await().atMost(ServingNode.PATIENCE).until(() -> send(ask, key).statusCode() == 200);
    }

    @Test
    void aKeyThatHasUsedItsTokensIsToldWhenToComeAgain() throws Exception {
        Ask ask = dialects().getFirst().with("max_tokens", "20");
        Map<String, String> key = Map.of("x-api-key", "thrifty-key-of-few");
        HttpResponse<String> last = send(ask, key);
        for (int i = 0; i < 20 && last.statusCode() == 200; i++) {
            last = send(ask, key);
        }
        refused(429, ask, last);
        int seconds = Integer.parseInt(last.headers().firstValue("Retry-After").orElseThrow());
        assertTrue(seconds >= 1 && seconds <= 60, "after " + seconds);
        assertEquals(200, send(ask, Map.of()).statusCode(), "others are not concerned");
    }

    @ParameterizedTest
    @MethodSource("dialects")
    void aBodyOverTheLimitIsRefused(Ask ask) throws Exception {
        refused(413, ask, send(ask.with("user", "\"" + "x".repeat(BODY_LIMIT) + "\""), Map.of()));
    }

    @ParameterizedTest
    @MethodSource("dialects")
    void aCompressedBodyIsRefusedByName(Ask ask) throws Exception {
        HttpResponse<String> answer = send(ask, Map.of("Content-Encoding", "gzip"));
        refused(400, ask, answer);
        assertTrue(answer.body().contains("Content-Encoding 'gzip' is not supported"), answer.body());
    }

    @Test
    void tooManyMessagesAreRefused() throws Exception {
        for (Ask ask : dialects()) {
            if (ask.body().contains("\"messages\"")) {
                String message = "{\"role\":\"user\",\"content\":\"Hi\"}";
                int most = ask.path().equals("/v1/messages") ? 100_000 : 10_000;
                String many = String.join(",", Collections.nCopies(most + 1, message));
                HttpResponse<String> answer =
                        send(new Ask(ask.path(), ask.body().replace(message, many)), Map.of());
                refused(422, ask, answer);
                assertTrue(answer.body().contains("List should have at most " + most + " items"), answer.body());
            }
        }
    }

    private static Ask scripted(JsonObject... steps) {
        JsonObject message = JsonObject.of("role", "user").with("content", Scripted.script(steps));
        return new Ask(
                "/v1/chat/completions",
                JsonObject.of("model", Scripted.MODEL)
                        .with("stream", true)
                        .with("messages", List.of(message))
                        .toString());
    }

    private static Socket connect() throws IOException {
        URI address = URI.create(node.url());
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.setSoTimeout(30_000);
        socket.connect(new java.net.InetSocketAddress(address.getHost(), address.getPort()));
        return socket;
    }

    private static byte[] head(Ask ask, int length) {
        return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                .formatted(ask.path(), length)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Everybody else is served while some are slow. */
    private static void servesOthers() throws Exception {
        long start = System.nanoTime();
        assertEquals(
                200,
                send(dialects().getFirst().with("max_tokens", "4"), Map.of()).statusCode());
        assertTrue(System.nanoTime() - start < Duration.ofSeconds(3).toNanos());
    }

    private static ProcessLevels levels() throws Exception {
        return ProcessLevels.of(node.process().pid(), home);
    }

    /** @param kilobytes of heap that each slow client may cost */
    private static void bounded(ProcessLevels before, ProcessLevels during, int kilobytes) {
        String both = "before %s, with %d slow clients %s".formatted(before, CLIENTS, during);
        LOG.log(System.Logger.Level.INFO, both);
        assertTrue(during.threads() <= before.threads() + 8, both);
        assertTrue(during.virtualThreads() <= before.virtualThreads() + 4 * CLIENTS, both);
        assertTrue(during.heapKb() <= before.heapKb() + CLIENTS * kilobytes + 32 * 1024, both);
    }

    /** Answers of 20 MB each that nobody reads: a megabyte of each is kept, and 8,192 events of 2 KB, then the client is dropped and the generation with it. */
    @Test
    void slowReadersCostABoundedBufferAndAreDropped() throws Exception {
        Ask endless = scripted(Scripted.text("x".repeat(2000), 10_000));
        byte[] body = endless.body().getBytes(StandardCharsets.UTF_8);
        ProcessLevels before = levels();
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < CLIENTS; i++) {
                Socket socket = connect();
                sockets.add(socket);
                socket.getOutputStream().write(head(endless, body.length));
                socket.getOutputStream().write(body);
            }
            await().atMost(ServingNode.PATIENCE).until(() -> node.metric("skulk_requests_in_flight") == CLIENTS);
            servesOthers();
            for (boolean all = true; all; all = node.metric("skulk_requests_in_flight") == CLIENTS) {
                bounded(before, levels(), 20 * 1024);
            }
            node.awaitIdle(Scripted.MODEL);
            assertEquals(
                    CLIENTS,
                    sockets.stream().filter(LimitsIT::endsEarly).count(),
                    "every connection ended before its answer did");
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    /** Whether the connection ends without the end of the stream. */
    private static boolean endsEarly(Socket socket) {
        StringBuilder end = new StringBuilder();
        try {
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                end.append(new String(buffer, 0, n, StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            return e instanceof SocketException;
        }
        return !end.toString().contains("[DONE]");
    }

    @Test
    void slowWritersCostAThreadEachAndAreDropped() throws Exception {
        Ask ask = dialects().getFirst();
        ProcessLevels before = levels();
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < CLIENTS; i++) {
                Socket socket = connect();
                sockets.add(socket);
                OutputStream out = socket.getOutputStream();
                out.write(head(ask, 1_000_000));
                out.write('{');
            }
            servesOthers();
            bounded(before, levels(), 64);
            for (Socket socket : sockets) {
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(answer.startsWith("HTTP/1.1 408 "), answer);
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void unfinishedHeadsAndSilenceAreCut() throws Exception {
        for (String sent : List.of("", "POST /v1/chat/completions HTTP/1.1\r\nHost: local")) {
            try (Socket socket = connect()) {
                socket.getOutputStream().write(sent.getBytes(StandardCharsets.US_ASCII));
                long start = System.nanoTime();
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertFalse(answer.startsWith("HTTP/1.1 2"), answer);
                assertTrue(System.nanoTime() - start < Duration.ofSeconds(10).toNanos());
            }
        }
        try (Socket socket = connect()) {
            String heads = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n".formatted("x".repeat(70_000));
            socket.getOutputStream().write(heads.getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            assertTrue(answer.startsWith("HTTP/1.1 4"), answer);
        }
    }

    /** A request kept open at its own pace is no slow one: between the pieces of a stream may be silence, which keep-alives fill. */
    @Test
    void aStreamThatThinksIsNotCut() throws Exception {
        Ask pausing = scripted(Scripted.text("a"), JsonObject.of("pause", 3_500), Scripted.text("b"));
        HttpResponse<String> answer = send(pausing, Map.of());
        assertEquals("ab", ChatIT.content(answer.body()));
        assertTrue(answer.body().contains(": keep-alive"), answer.body());
    }
}
