package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.FreePort;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** API keys of a cluster of processes: made on one node, they count on all, outlive restarts, and are withdrawn everywhere. */
class KeysIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String OPERATOR = "the operator's own key";

    @TempDir
    private Path temp;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void keysCountOnEveryNode() throws Exception {
        int port = FreePort.find();
        int second = FreePort.find();
        String made;
        try (SkulkProcess one = start("one", port, port);
                SkulkProcess two = start("two", second, port)) {
            await().atMost(ServingNode.PATIENCE).until(() -> nodes(one) == 2 && nodes(two) == 2);
            assertEquals(401, send(one, "GET", "/state", "", "").statusCode());
            made = key(one, "ci");
            assertEquals(200, send(two, "GET", "/state", made, "").statusCode(), "at once");
            assertEquals(403, send(two, "GET", "/config", made, "").statusCode());
            String other = key(two, "other");
            assertEquals(
                    200, send(two, "DELETE", "/admin/keys/other", OPERATOR, "").statusCode());
            assertEquals(401, send(one, "GET", "/state", other, "").statusCode(), "withdrawn at once");
            cookie(one, made);
        }
        try (SkulkProcess two = start("two", second, port)) {
            assertEquals(200, send(two, "GET", "/state", made, "").statusCode(), "after a restart of all");
            assertEquals(
                    200, send(two, "DELETE", "/admin/keys/ci", OPERATOR, "").statusCode());
            try (SkulkProcess one = start("one", port, port)) {
                await().atMost(ServingNode.PATIENCE)
                        .until(() -> send(one, "GET", "/state", made, "").statusCode() == 401);
            }
        }
        for (String node : new String[] {"one", "two"}) {
            String file = Files.readString(temp.resolve(node).resolve("api_keys.json"));
            assertFalse(file.contains(made.substring(made.length() - 20)), "hashes alone are kept");
        }
    }

    /** The same key at two doors: what it has under way behind one, and what it has used there, counts at the other. */
    @Test
    void limitsCountOverAllNodes() throws Exception {
        int port = FreePort.find();
        Scripted.install(temp.resolve("one"));
        try (SkulkProcess one = start("one", port, port);
                SkulkProcess two = start("two", FreePort.find(), port)) {
            await().atMost(ServingNode.PATIENCE).until(() -> nodes(one) == 2 && nodes(two) == 2);
            String key = key(one, "single", ",\"max_concurrent\":1");
            String thrifty = key(two, "thrifty", ",\"tokens_per_minute\":100");
            String place = JsonObject.of("model_id", Scripted.MODEL).toString();
            assertEquals(
                    200, send(one, "POST", "/place_instance", OPERATOR, place).statusCode());
            String quick = chat(Scripted.text("Hello"));
            await().atMost(ServingNode.PATIENCE)
                    .until(() -> send(two, "POST", CHAT, OPERATOR, quick).statusCode() == 200);
            HttpRequest hanging = request(one, "POST", CHAT, key, chat(Scripted.text("Hello"), Scripted.hang()));
            try (ServingNode.Lines stream =
                    new ServingNode.Lines(client.send(hanging, HttpResponse.BodyHandlers.ofInputStream()))) {
                stream.until(line -> line.startsWith("data: {"));
                await().atMost(Duration.ofSeconds(5))
                        .until(() -> send(two, "POST", CHAT, key, quick).statusCode() == 429);
                assertEquals(429, send(one, "POST", CHAT, key, quick).statusCode());
            }
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> send(two, "POST", CHAT, key, quick).statusCode() == 200);
            int asked = 0;
            while (send(one, "POST", CHAT, thrifty, quick).statusCode() == 200) {
                assertTrue(++asked < 100, "no end of tokens");
            }
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> send(two, "POST", CHAT, thrifty, quick).statusCode() == 429);
        }
    }

    private static String chat(JsonObject... steps) {
        JsonObject message = JsonObject.of("role", "user").with("content", Scripted.script(steps));
        return JsonObject.of("model", Scripted.MODEL)
                .with("stream", true)
                .with("messages", List.of(message))
                .toString();
    }

    /** A browser's way: the key once, then a cookie that counts for the node's own pages. */
    private void cookie(SkulkProcess node, String key) throws Exception {
        assertEquals(401, send(node, "POST", "/login", "a made-up key", "").statusCode());
        HttpResponse<String> login = send(node, "POST", "/login", key, "");
        String cookie = login.headers().firstValue("Set-Cookie").orElseThrow();
        assertTrue(cookie.contains("; HttpOnly; SameSite=Strict"), cookie);
        HttpRequest page = HttpRequest.newBuilder(URI.create(node.url() + "/state"))
                .header("Cookie", cookie.substring(0, cookie.indexOf(';')))
                .build();
        assertEquals(
                200, client.send(page, HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    private String key(SkulkProcess node, String id) throws Exception {
        return key(node, id, ",\"max_concurrent\":2");
    }

    private String key(SkulkProcess node, String id, String limits) throws Exception {
        HttpResponse<String> made = send(
                node, "POST", "/admin/keys", OPERATOR, "{\"id\":\"" + id + "\",\"scopes\":[\"infer\"]" + limits + "}");
        assertEquals(200, made.statusCode(), made.body());
        return ((JsonObject) Json.parse(made.body())).string("key").orElseThrow();
    }

    private int nodes(SkulkProcess node) throws Exception {
        HttpResponse<String> state = send(node, "GET", "/state", OPERATOR, "");
        return ((JsonObject) Json.parse(state.body()))
                .object("lastSeen")
                .orElseThrow()
                .members()
                .size();
    }

    private HttpResponse<String> send(SkulkProcess node, String method, String path, String key, String body)
            throws IOException, InterruptedException {
        return client.send(request(node, method, path, key, body), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest request(SkulkProcess node, String method, String path, String key, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(node.url() + path))
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (!key.isEmpty()) {
            request.header("Authorization", "Bearer " + key);
        }
        return request.build();
    }

    private SkulkProcess start(String name, int port, int peer) throws Exception {
        Path home = Files.createDirectories(temp.resolve(name));
        Path file = home.resolve("skulk.yaml");
        String before = Files.exists(file) ? Files.readString(file) : "";
        String keys = """
                api:
                  loopback_open: false
                  keys: { operator: { key: "%s", scopes: [admin] } }
                """.formatted(OPERATOR);
        Files.writeString(file, before.endsWith(keys) ? before : before + keys);
        return SkulkProcess.serve(
                home, "--name", name, "--cluster-port", "" + port, "--bootstrap-peers", "127.0.0.1:" + peer);
    }
}
