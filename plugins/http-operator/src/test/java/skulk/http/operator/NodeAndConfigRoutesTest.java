package skulk.http.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.fake.FakeClusterView;
import skulk.api.fake.FakeExchange;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class NodeAndConfigRoutesTest {
    private static FakeExchange put(Operator operator, String body) {
        return new FakeExchange().body(body).run(operator.feature, "PUT", "/config");
    }

    @Test
    void pluginsShowStateAndReason() {
        var status = new Operation.PluginStatus(
                "skulk.x",
                "1",
                "x",
                List.of("HttpFeature x"),
                List.of("GET /x INFER"),
                "FAILED",
                Optional.of("it threw"));
        Operator operator = new Operator().answering(op -> List.of(status));
        String expected =
                "{\"plugins\":[{\"id\":\"skulk.x\",\"version\":\"1\",\"file\":\"x\",\"offers\":[\"HttpFeature x\"],\"routes\":[\"GET /x INFER\"],\"state\":\"FAILED\",\"reason\":\"it threw\"}]}";
        assertEquals(expected, operator.get("/plugins").text());
        assertEquals(expected, operator.post("/plugins/rescan", "").text());
        assertEquals(new Operation.RescanPlugins(), operator.last());
    }

    @Test
    void aRestartIsAcknowledgedOnce() {
        Operator operator =
                new Operator().answering(op -> new Operation.RestartReply("restarting", new NodeId("self")));
        assertEquals(
                "{\"status\":\"restarting\",\"node_id\":\"self\"}",
                operator.post("/admin/restart", "").text());
        assertEquals(new Operation.Restart(Optional.empty()), operator.last());
        operator.answering(op -> {
            throw new SkulkException(Problem.Kind.CONFLICT, "pending");
        });
        FakeExchange second =
                new FakeExchange().queryParameter("node_id", "n2").run(operator.feature, "POST", "/admin/restart");
        assertEquals(409, second.status());
        assertEquals("{\"status\":\"restart_already_pending\",\"node_id\":\"n2\"}", second.text());
        assertEquals(new Operation.Restart(Optional.of(new NodeId("n2"))), operator.last());
    }

    @Test
    void onboardingIsRemembered() {
        Operator operator = new Operator();
        assertEquals("{\"completed\":false}", operator.get("/onboarding").text());
        assertEquals("{\"completed\":true}", operator.post("/onboarding", "").text());
        assertEquals("{\"completed\":true}", operator.get("/onboarding").text());
        assertEquals(
                "{\"completed\":false}",
                operator.post("/onboarding", "{\"completed\":false}").text());
        assertEquals(422, operator.post("/onboarding", "{\"done\":true}").status());
    }

    @Test
    void waysInAreListed() {
        ClusterView view = new FakeClusterView().node("a", 1, 1).build();
        Operator operator = new Operator()
                .showing(view)
                .answering(op ->
                        new Operation.NodeFacts(new NodeId("a"), "box", "10.0.0.97", "Box", 52415, "0.1.0", "/home"));
        assertEquals(
                "{\"running\":false,\"ipAddresses\":[]}",
                operator.get("/v1/connectivity/tailscale").text());
        assertEquals(
                "{\"apiPort\":52415,\"urls\":[\"http://10.0.0.97:52415\"],\"tailscale\":false}",
                operator.get("/v1/connectivity/remote-access").text());
    }

    @Test
    void configurationIsReadAndWritten() {
        JsonObject config = JsonObject.of("tracing", JsonObject.of("retention_days", 3));
        Operator operator = new Operator().answering(op -> switch (op) {
            case Operation.ReadConfig r ->
                new Operation.ConfigReply(config, "skulk.yaml", true, JsonObject.of("kv_cache_backend", "default"));
            default -> new Operation.ConfigWritten("Saved", true);
        });
        assertEquals(
                "{\"config\":{\"tracing\":{\"retention_days\":3}},\"configPath\":\"skulk.yaml\",\"fileExists\":true,\"effective\":{\"kv_cache_backend\":\"default\"}}",
                operator.get("/config").text());
        String reply = "{\"success\":true,\"message\":\"Saved\",\"requiresRestart\":true}";
        assertEquals(
                reply, put(operator, JsonObject.of("config", config).toString()).text());
        assertEquals(new Operation.WriteConfig(config), operator.last());
        assertEquals(reply, put(operator, config.toString()).text());
        assertEquals(new Operation.WriteConfig(config), operator.last());
    }

    @Test
    void aConfigurationThatIsNoObjectGetsTheEnvelope() {
        FakeExchange exchange = put(new Operator(), "{\"config\":[1]}");
        assertEquals(422, exchange.status());
        assertEquals(
                "{\"error\":{\"message\":\"'config' field must be a JSON object.\",\"type\":\"Unprocessable Entity\",\"param\":null,\"code\":422}}",
                exchange.text());
        assertEquals(422, put(new Operator(), "3").status());
    }

    @Test
    void keysAreToldOnce() {
        Instant made = Instant.parse("2026-01-02T03:04:05Z");
        Operator operator = new Operator().answering(op -> switch (op) {
            case Operation.ListApiKeys l ->
                List.of(new Operation.ApiKey("ci", Optional.empty(), List.of("infer"), 0, 600, made));
            case Operation.CreateApiKey c ->
                new Operation.ApiKey(
                        c.id(), Optional.of("sk-1"), c.scopes(), c.maxConcurrent(), c.tokensPerMinute(), made);
            case Operation.DeleteApiKey d -> d.id().equals("ci");
            default -> throw new AssertionError(op);
        });
        assertEquals(
                "{\"keys\":[{\"id\":\"ci\",\"scopes\":[\"infer\"],\"max_concurrent\":null,\"tokens_per_minute\":600,\"created_at\":\"2026-01-02T03:04:05.000000+00:00\"}]}",
                operator.get("/admin/keys").text());
        FakeExchange created = operator.post("/admin/keys", "{\"id\":\"ci\",\"scopes\":[\"infer\",\"place\"]}");
        assertEquals("sk-1", created.jsonResponse().string("key").orElseThrow());
        operator.post(
                "/admin/keys", "{\"id\":\"ci\",\"scopes\":[\"infer\"],\"max_concurrent\":2,\"tokens_per_minute\":9}");
        assertEquals(new Operation.CreateApiKey("ci", List.of("infer"), 2, 9), operator.last());
        assertEquals(
                422,
                operator.post("/admin/keys", "{\"id\":\"ci\",\"scopes\":[\"infer\"],\"max_concurrent\":0}")
                        .status());
        assertEquals(
                422,
                operator.post("/admin/keys", "{\"id\":\"ci\",\"scopes\":[\"root\"]}")
                        .status());
        assertEquals(
                422,
                operator.post("/admin/keys", "{\"id\":\"ci\",\"scopes\":[]}").status());
        assertEquals(
                200,
                new FakeExchange()
                        .pathParameter("id", "ci")
                        .run(operator.feature, "DELETE", "/admin/keys/{id}")
                        .status());
        assertEquals(
                404,
                new FakeExchange()
                        .pathParameter("id", "no")
                        .run(operator.feature, "DELETE", "/admin/keys/{id}")
                        .status());
    }

    @Test
    void aKeyBecomesACookieThatNoScriptCanRead() {
        Operator operator = new Operator();
        FakeExchange plain = new FakeExchange()
                .key("ci")
                .header("Authorization", "bearer sk-1")
                .run(operator.feature, "POST", "/login");
        assertEquals(200, plain.status());
        assertEquals(
                "skulk_key=sk-1; Path=/; HttpOnly; SameSite=Strict",
                plain.response().headers().get("Set-Cookie"));
        FakeExchange secure = new FakeExchange()
                .key("ci")
                .header("x-api-key", "sk-1")
                .header("Origin", "https://node")
                .run(operator.feature, "POST", "/login");
        assertTrue(secure.response().headers().get("Set-Cookie").endsWith("; Secure"));
        assertEquals(
                401,
                new FakeExchange()
                        .header("x-api-key", "nobody's")
                        .run(operator.feature, "POST", "/login")
                        .status());
        assertEquals(
                400,
                new FakeExchange()
                        .key("ci")
                        .header("x-api-key", "a;b")
                        .run(operator.feature, "POST", "/login")
                        .status());
        assertTrue(new FakeExchange()
                .run(operator.feature, "DELETE", "/login")
                .response()
                .headers()
                .get("Set-Cookie")
                .contains("skulk_key=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"));
    }

    @Test
    void foldersAreListedInsideTheRootsOnly(@TempDir Path root) throws Exception {
        Files.createDirectories(root.resolve("home/b"));
        Files.createDirectories(root.resolve("home/a"));
        Files.createDirectories(root.resolve("home/.hidden"));
        Files.writeString(root.resolve("home/file"), "");
        Path secret = Files.createDirectories(root.resolve("secret"));
        Files.createSymbolicLink(root.resolve("home/link"), secret);
        OperatorFeature feature =
                Operator.only(new BrowseRoutes(List.of(root.resolve("home"), root.resolve("absent"))).routes());
        String home = root.resolve("home").toRealPath().toString();
        FakeExchange listed = new FakeExchange().queryParameter("path", home).run(feature, "GET", "/filesystem/browse");
        var names = listed.jsonResponse().array("directories").orElseThrow().items().stream()
                .map(d -> ((JsonObject) d).string("name").orElseThrow())
                .toList();
        assertEquals(List.of("a", "b", "link"), names);
        for (String outside : List.of(secret.toString(), home + "/../secret", home + "/link", "home", "/etc")) {
            FakeExchange refused =
                    new FakeExchange().queryParameter("path", outside).run(feature, "GET", "/filesystem/browse");
            assertEquals(400, refused.status(), outside);
            assertTrue(refused.text().contains("Path outside allowed roots"));
        }
        assertEquals(
                404,
                new FakeExchange()
                        .queryParameter("path", home + "/none")
                        .run(feature, "GET", "/filesystem/browse")
                        .status());
        FakeExchange roots = new FakeExchange().run(feature, "GET", "/filesystem/browse");
        assertEquals("/", roots.jsonResponse().string("path").orElseThrow());
        assertEquals(1, roots.jsonResponse().array("directories").orElseThrow().size());
        assertFalse(roots.text().contains("absent"));
    }
}
