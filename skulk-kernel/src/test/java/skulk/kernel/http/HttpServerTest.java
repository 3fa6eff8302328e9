package skulk.kernel.http;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.HttpFeature;
import skulk.api.http.EventStream;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Configuration.Setting;
import skulk.kernel.config.Key;
import skulk.kernel.config.Keys;
import skulk.kernel.plugin.Offers;
import skulk.kernel.security.FileKeyStore;
import skulk.kernel.security.KeyStore;

/** The server over real sockets. */
class HttpServerTest {
    @TempDir
    Path home;

    private final HttpClient client = HttpClient.newHttpClient();
    private HttpServer server;

    @AfterEach
    void stop() {
        client.close();
        if (server != null) {
            server.close();
        }
    }

    private record Feature(List<Route> routes) implements HttpFeature {
        @Override
        public String name() {
            return "test";
        }

        @Override
        public Response error(Problem problem) {
            return Response.json(problem.kind().status(), JsonObject.of("oops", problem.message()));
        }
    }

    private static Route route(String method, String path, Route.Handler handler) {
        return new Route(method, path, Route.Scope.INFER, handler);
    }

    private static Configuration configuration(Map<Key<?>, Json> overrides) {
        Map<String, Setting> values = new java.util.HashMap<>();
        values.put(Keys.API_PORT.name(), new Setting(JsonNumber.of(0), "test"));
        overrides.forEach((key, value) -> values.put(key.name(), new Setting(value, "test")));
        return new Configuration(Path.of("skulk.yaml"), false, values, Map.of(), Map.of());
    }

    private KeyStore noKeys() {
        return FileKeyStore.open(JsonObject.EMPTY, home);
    }

    private void start(Map<Key<?>, Json> overrides, Route... routes) throws IOException {
        server = HttpServer.start(configuration(overrides), noKeys());
        mount(routes);
    }

    private void mount(Route... routes) {
        Feature feature = new Feature(List.of(routes));
        server.mount(new Offers(List.of(new Offers.Origin(feature, "test", Path.of("test"), feature.routes()))));
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(server.url() + path))
                        .method(
                                method,
                                body.isEmpty()
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private String raw(String request) throws IOException {
        return raw(request.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends bytes and reads until the server closes. */
    private String raw(byte[] request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request);
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void decodesParametersAndQueriesAndEchoesBodies() throws Exception {
        start(
                Map.of(),
                route(
                        "POST",
                        "/models/{id+}/copy/{to}",
                        x -> x.respond(JsonObject.builder()
                                .put("id", x.path("id"))
                                .put("to", x.path("to"))
                                .put("query", x.query("q"))
                                .put("body", new String(x.body(), StandardCharsets.UTF_8))
                                .build())));
        HttpResponse<String> response = send("POST", "/models/org/na%20me/copy/a%2Fb?q=1&q=%C3%A9+x&p", "hällo");
        assertEquals(
                "{\"id\":\"org/na me\",\"to\":\"a/b\",\"query\":[\"1\",\"é x\"],\"body\":\"hällo\"}", response.body());
        assertEquals(200, response.statusCode());
    }

    @Test
    void tellsUnknownPathsFromWrongMethods() throws Exception {
        start(Map.of(), route("GET", "/a", x -> x.respond(Response.text(200, "a"))));
        assertEquals("{\"detail\":\"Not Found\"}", send("GET", "/b", "").body());
        assertEquals(404, send("GET", "/b", "").statusCode());
        HttpResponse<String> wrong = send("POST", "/a", "x");
        assertEquals(405, wrong.statusCode());
        assertEquals("{\"detail\":\"Method Not Allowed\"}", wrong.body());
        assertEquals(HttpClient.Version.HTTP_2, send("GET", "/a", "").version(), "the JDK's client upgrades to h2c");
        assertEquals("GET, HEAD", wrong.headers().firstValue("Allow").orElseThrow());
        HttpResponse<String> head = send("HEAD", "/a", "");
        assertEquals(200, head.statusCode());
        assertEquals("1", head.headers().firstValue("Content-Length").orElseThrow());
    }

    @Test
    void rendersProblemsAndFaultsAsTheFeatureDoes() throws Exception {
        start(
                Map.of(),
                route("GET", "/problem", x -> {
                    throw new SkulkException(Problem.Kind.CONFLICT, "no");
                }),
                route("GET", "/fault", x -> {
                    throw new IllegalStateException("secret");
                }),
                route("GET", "/silent", x -> {}));
        assertEquals(409, send("GET", "/problem", "").statusCode());
        assertEquals("{\"oops\":\"no\"}", send("GET", "/problem", "").body());
        HttpResponse<String> fault = send("GET", "/fault", "");
        assertEquals(500, fault.statusCode());
        String id = fault.headers().firstValue("X-Request-Id").orElseThrow();
        assertTrue(fault.body().contains(id), fault.body());
        assertFalse(fault.body().contains("secret"), fault.body());
        assertEquals(500, send("GET", "/silent", "").statusCode());
    }

    @Test
    void refusesBodiesOverTheLimitInTheFeaturesShape() throws Exception {
        start(
                Map.of(Keys.API_BODY_LIMIT, JsonNumber.of(2000)),
                route("POST", "/p", x -> x.respond(Response.text(200, "" + x.body().length))));
        assertEquals("2000", send("POST", "/p", "x".repeat(2000)).body());
        String head = "POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        String announced = raw(head + "Content-Length: 2001\r\n\r\n" + "x".repeat(2001));
        assertTrue(announced.startsWith("HTTP/1.1 413"), announced);
        assertTrue(announced.contains("oops"), announced);
        String chunked = raw(head + "Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n" + "x".repeat(100_000));
        assertTrue(chunked.startsWith("HTTP/1.1 413"), chunked);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\0\1\2\3\377\376 garbage \r\n\r\n",
                "GET\r\n\r\n",
                "GET /a HTTP/1.1\r\nHost a\r\n\r\n",
                "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /a HTTP/1.1\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            })
    void answersGarbageWithAnErrorAndStaysUp(String garbage) throws Exception {
        start(
                Map.of(),
                route("GET", "/a", x -> x.respond(Response.text(200, "a"))),
                route("POST", "/a", x -> x.respond(Response.text(200, "" + x.body().length))));
        String answer = raw(garbage);
        assertTrue(answer.startsWith("HTTP/1.1 4") || answer.startsWith("HTTP/1.1 505"), answer);
        assertEquals("a", send("GET", "/a", "").body());
    }

    @Test
    void namesTheCodingOfACompressedBodyInTheFeaturesShape() throws Exception {
        start(Map.of(), route("POST", "/p", x -> x.respond(Response.text(200, "" + x.body().length))));
        String refused = raw("POST /p HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
        assertTrue(refused.startsWith("HTTP/1.1 400"), refused);
        assertTrue(refused.contains("oops") && refused.contains("Content-Encoding 'gzip' is not supported"), refused);
    }

    @Test
    void refusesHeadsThatAreTooLong() throws Exception {
        start(Map.of(), route("GET", "/a", x -> x.respond(Response.text(200, "a"))));
        assertTrue(raw("GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: a\r\n\r\n")
                .startsWith("HTTP/1.1 4"));
        assertTrue(raw("GET /a HTTP/1.1\r\nHost: a\r\nX: " + "a".repeat(70_000) + "\r\n\r\n")
                .startsWith("HTTP/1.1 4"));
    }

    @Test
    void timesSlowBodiesAndHeadsOut() throws Exception {
        start(
                Map.of(Keys.API_BODY_TIMEOUT, JsonNumber.of(0.3)),
                route("POST", "/p", x -> x.respond(Response.text(200, "" + x.body().length))));
        long begin = System.nanoTime();
        String body = raw("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
        assertTrue(body.startsWith("HTTP/1.1 408"), body);
        assertTrue(body.contains("oops"), body);
        String head = raw("GET /p HTTP/1.1\r\nHost:");
        assertFalse(head.contains("200"), head);
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(5));
    }

    @Test
    void closesConnectionsThatStaySilent() throws Exception {
        start(
                Map.of(Keys.API_IDLE_TIMEOUT, JsonNumber.of(1)),
                route("GET", "/a", x -> x.respond(Response.text(200, "a"))));
        assertEquals("", raw(""));
        String kept = raw("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        assertTrue(kept.endsWith("a"), kept);
    }

    @Test
    void streamsFramesAsTheyAreSent() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        start(Map.of(), route("GET", "/s", x -> {
            try (EventStream stream = x.events(EventStream.Kind.SERVER_SENT_EVENTS)) {
                stream.send("data: 1\n\n");
                second.await();
                stream.send("data: 2\n\n");
            }
        }));
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(5000);
            socket.getOutputStream().write("GET /s HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String first = readUntil(socket.getInputStream(), "data: 1\n\n");
            String lower = first.toLowerCase(java.util.Locale.ROOT);
            assertTrue(lower.contains("content-type: text/event-stream"), first);
            assertTrue(lower.contains("cache-control: no-cache"), first);
            assertTrue(lower.contains("connection: close"), first);
            assertTrue(lower.contains("x-accel-buffering: no"), first);
            second.countDown();
            readUntil(socket.getInputStream(), "data: 2\n\n\r\n0\r\n\r\n");
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    private static String readUntil(InputStream in, String end) throws IOException {
        StringBuilder text = new StringBuilder();
        while (!text.toString().endsWith(end)) {
            int b = in.read();
            assertTrue(b >= 0, () -> "ended after: " + text);
            text.append((char) b);
        }
        return text.toString();
    }

    @Test
    void noticesAClientThatLeavesASilentStream() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        CountDownLatch streaming = new CountDownLatch(1);
        start(Map.of(), route("POST", "/s", x -> {
            x.body();
            EventStream stream = x.events(EventStream.Kind.SERVER_SENT_EVENTS);
            stream.onGone(gone::countDown);
            streaming.countDown();
            assertTrue(gone.await(10, TimeUnit.SECONDS));
            assertTrue(stream.gone());
        }));
        leave("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", streaming);
        assertTrue(gone.await(5, TimeUnit.SECONDS));
    }

    @Test
    void noticesAClientThatLeavesWhileItsWholeResponseIsComputed() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        CountDownLatch computing = new CountDownLatch(1);
        start(Map.of(), route("POST", "/w", x -> {
            x.body();
            x.onGone(gone::countDown);
            computing.countDown();
            gone.await(10, TimeUnit.SECONDS);
            x.respond(Response.text(200, "late"));
        }));
        leave("POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", computing);
        assertTrue(gone.await(5, TimeUnit.SECONDS));
    }

    private void leave(String request, CountDownLatch begun) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            assertTrue(begun.await(5, TimeUnit.SECONDS));
        }
    }

    @Test
    void dropsAClientThatDoesNotRead() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        start(Map.of(Keys.API_WRITE_TIMEOUT, JsonNumber.of(0.3)), route("GET", "/s", x -> {
            try (EventStream stream = x.events(EventStream.Kind.TEXT)) {
                String frame = "x".repeat(100_000);
                for (int i = 0; i < 1000; i++) {
                    stream.send(frame);
                }
            } catch (EventStream.ClientGone e) {
                thrown.set(e);
                throw e;
            }
        }));
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.getOutputStream().write("GET /s HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            await().atMost(Duration.ofSeconds(10)).until(() -> thrown.get() != null);
        }
    }

    @Test
    void servesKeptConnectionsAndPipelinedRequests() throws Exception {
        start(
                Map.of(),
                route("POST", "/p", x -> x.respond(Response.text(200, new String(x.body(), StandardCharsets.UTF_8)))));
        String one = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none";
        String two = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo";
        String answer = raw(one + two);
        assertTrue(answer.indexOf("one") > 0 && answer.endsWith("two"), answer);
    }

    @Test
    void exchangesRoutesWhileItRunsAndDrainsTheOldOnes() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        start(Map.of(), route("GET", "/old", x -> {
            entered.countDown();
            release.await();
            x.respond(Response.text(200, "old"));
        }));
        var slow = client.sendAsync(
                HttpRequest.newBuilder(URI.create(server.url() + "/old")).build(),
                HttpResponse.BodyHandlers.ofString());
        assertTrue(entered.await(5, TimeUnit.SECONDS));
        Thread mounting =
                Thread.ofVirtual().start(() -> mount(route("GET", "/new", x -> x.respond(Response.text(200, "new")))));
        await().until(() -> send("GET", "/new", "").statusCode() == 200);
        assertEquals(404, send("GET", "/old", "").statusCode());
        assertTrue(mounting.isAlive(), "waits for the request under way");
        release.countDown();
        assertEquals("old", slow.get(5, TimeUnit.SECONDS).body());
        assertTrue(mounting.join(Duration.ofSeconds(5)));
    }

    @Test
    void tellsClientsToComeAgainBeforeAnythingIsMounted() throws Exception {
        server = HttpServer.start(configuration(Map.of()), noKeys());
        HttpResponse<String> response = send("GET", "/state", "");
        assertEquals(503, response.statusCode());
        assertEquals("1", response.headers().firstValue("Retry-After").orElseThrow());
    }

    @Test
    void letsPagesOfAllowedOriginsCall() throws Exception {
        start(
                Map.of(Keys.API_CORS_ORIGINS, new JsonString("http://good.example")),
                route("GET", "/a", x -> x.respond(Response.text(200, "a"))));
        HttpResponse<String> good = withOrigin("http://good.example");
        assertEquals(
                "http://good.example",
                good.headers().firstValue("Access-Control-Allow-Origin").orElseThrow());
        assertEquals(
                "true",
                good.headers().firstValue("Access-Control-Allow-Credentials").orElseThrow());
        assertTrue(withOrigin("http://evil.example")
                .headers()
                .firstValue("Access-Control-Allow-Origin")
                .isEmpty());
        assertEquals(200, send("OPTIONS", "/a", "").statusCode());
    }

    private HttpResponse<String> withOrigin(String origin) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(server.url() + "/a"))
                        .header("Origin", origin)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void doesNotListenBeyondThisMachineWithoutKeys() throws Exception {
        Configuration open = configuration(Map.of(Keys.API_HOST, new JsonString("0.0.0.0")));
        assertTrue(assertThrows(IOException.class, () -> HttpServer.start(open, noKeys()))
                .getMessage()
                .contains("api.keys"));
        server = HttpServer.start(
                configuration(
                        Map.of(Keys.API_HOST, new JsonString("0.0.0.0"), Keys.API_INSECURE, new JsonBoolean(true))),
                noKeys());
        assertEquals(503, send("GET", "/", "").statusCode());
    }

    @Test
    void namesATakenPort() throws Exception {
        server = HttpServer.start(configuration(Map.of()), noKeys());
        Configuration same = configuration(Map.of(Keys.API_PORT, JsonNumber.of(server.port())));
        String message = assertThrows(IOException.class, () -> HttpServer.start(same, noKeys()))
                .getMessage();
        assertTrue(message.contains(Integer.toString(server.port())) && message.contains("--api-port"), message);
    }

    @Test
    void survivesManyClientsThatLeaveAtOnce() throws Exception {
        CountDownLatch gone = new CountDownLatch(50);
        CountDownLatch streaming = new CountDownLatch(50);
        start(Map.of(), route("GET", "/s", x -> {
            EventStream stream = x.events(EventStream.Kind.TEXT);
            stream.onGone(gone::countDown);
            streaming.countDown();
            gone.await(10, TimeUnit.SECONDS);
        }));
        Socket[] sockets = new Socket[50];
        for (int i = 0; i < sockets.length; i++) {
            sockets[i] = new Socket("127.0.0.1", server.port());
            OutputStream out = sockets[i].getOutputStream();
            out.write("GET /s HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        assertTrue(streaming.await(10, TimeUnit.SECONDS));
        for (Socket socket : sockets) {
            socket.close();
        }
        assertTrue(gone.await(5, TimeUnit.SECONDS));
    }
}
