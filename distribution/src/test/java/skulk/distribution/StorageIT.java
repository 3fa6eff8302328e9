package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Models on disk, end to end: a hub that counts what it sends, nodes as processes, the operator's commands of the runbook. */
class StorageIT {
    private static final String MODEL = "acme/Toy-bf16";
    private static final String FOLDER = "acme--Toy-bf16";
    private static final Duration PATIENCE =
            Duration.ofSeconds(90); // a machine under load; all of it takes a few seconds

    @TempDir
    private Path temp;

    private HubStandIn hub;
    private String[] store = {};
    private int clusterPort;
    private final List<SkulkProcess> nodes = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        hub = new HubStandIn(MODEL, ToyModel.write(temp.resolve("hub")));
    }

    @AfterEach
    void close() {
        nodes.forEach(SkulkProcess::close);
        hub.close();
    }

    private SkulkProcess serve(String home, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--set", "hub.endpoint=" + hub.endpoint()));
        arguments.addAll(List.of(more));
        SkulkProcess node = SkulkProcess.serve(temp.resolve(home), arguments.toArray(String[]::new));
        nodes.add(node);
        return node;
    }

    /** Runs a command to its end and answers what it printed. */
    private String skulk(String... arguments) throws Exception {
        try (SkulkProcess process = SkulkProcess.start(temp, Map.of(), List.of(arguments))) {
            int code = process.exitCode(PATIENCE);
            assertEquals(0, code, process.log());
            return process.log();
        }
    }

    private static JsonObject ok(HttpResponse<String> response) {
        assertEquals(200, response.statusCode(), response.body());
        return (JsonObject) Json.parse(response.body());
    }

    private static void awaitReady(SkulkProcess node) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).until(() -> {
            String state = node.get("/state").body();
            assertFalse(state.contains("RunnerFailed") || state.contains("DownloadFailed"), state);
            return state.contains("RunnerReady");
        });
    }

    private static void assertAnswers(SkulkProcess node) throws Exception {
        JsonObject answer = ok(node.post(
                "/v1/chat/completions",
                "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"ping\"}],\"max_tokens\":2}"
                        .formatted(MODEL)));
        assertTrue(
                answer.object("usage")
                                .flatMap(u -> u.integer("completion_tokens"))
                                .orElse(0L)
                        > 0,
                answer.toString());
    }

    private void assertSame(Path copy) throws IOException {
        for (Path file : hub.files()) {
            assertEquals(HubStandIn.sha256(file), HubStandIn.sha256(copy.resolve(file.getFileName())), file.toString());
        }
        try (Stream<Path> all = Files.list(copy)) {
            assertTrue(all.noneMatch(f -> f.toString().contains(".partial")));
        }
    }

    private static void deleteInstances(SkulkProcess node) throws Exception {
        Set<String> instances =
                node.json("/state").object("instances").orElseThrow().members().keySet();
        for (String id : instances) {
            ok(node.delete("/instance/" + id));
        }
        await().atMost(PATIENCE)
                .until(() ->
                        staged(node).stream().noneMatch(m -> m.bool("inUse").orElseThrow()));
    }

    private static List<JsonObject> staged(SkulkProcess node) throws Exception {
        JsonObject report = ok(node.get("/store/storage"));
        assertTrue(report.integer("diskFreeBytes").orElse(0L) > 0 && report.has("eventLogBytes"), report.toString());
        return report.array("stagedModels").orElse(JsonArray.of()).items().stream()
                .map(JsonObject.class::cast)
                .toList();
    }

    @Test
    void aKilledNodeGoesOnWithItsDownloadAndPurgesWhatIsNotInUse() throws Exception {
        SkulkProcess first = serve("home");
        assertEquals(503, first.get("/store/health").statusCode());
        assertTrue(first.get("/store/registry").body().contains("Store not configured"));
        hub.pauseMillis = 12;
        ok(first.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> hub.sent.get() > hub.modelBytes() / 2);
        first.kill();
        long whenKilled = hub.sent.get();
        assertTrue(whenKilled < hub.modelBytes() * 9 / 10, "killed too late to show anything");
        hub.pauseMillis = 0;

        SkulkProcess second = serve("home");
        ok(second.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        awaitReady(second);
        assertAnswers(second);
        assertTrue(
                hub.sent.get() <= hub.modelBytes() * 11 / 10,
                "%d bytes of a model of %d, %d of them before the kill"
                        .formatted(hub.sent.get(), hub.modelBytes(), whenKilled));
        Path staging = temp.resolve("home/staging");
        assertSame(staging.resolve(FOLDER));

        List<JsonObject> before = staged(second);
        assertEquals(
                List.of(MODEL),
                before.stream().map(m -> m.string("modelId").orElseThrow()).toList());
        assertEquals(true, before.getFirst().bool("inUse").orElseThrow());
        assertEquals(422, second.post("/store/purge-staging", "").statusCode());
        ok(second.post("/store/purge-staging", "{}"));
        assertEquals(1, staged(second).size(), "in use");
        deleteInstances(second);
        ok(second.post("/store/purge-staging", "{\"modelId\": \"other/model\"}"));
        assertEquals(1, staged(second).size(), "another one's");
        ok(second.post("/store/purge-staging", "{\"modelId\": \"" + MODEL + "\"}"));
        assertEquals(List.of(), staged(second));
        assertFalse(Files.exists(staging.resolve(FOLDER)));
        assertAnswersAfterBundle(second);
    }

    /** A bundle made of one machine's copy serves on another one that asks nobody. */
    private void assertAnswersAfterBundle(SkulkProcess node) throws Exception {
        assertTrue(skulk("models", "pull", MODEL, "--url", node.url()).contains(MODEL + " is complete on "));
        assertTrue(skulk("models", "list", "--url", node.url()).contains("(staged)"));
        assertTrue(skulk("models", "show", MODEL, "--url", node.url()).contains("quantization"));
        skulk(
                "bundle",
                "export",
                MODEL,
                "--home",
                temp.resolve("home").toString(),
                "--to",
                temp.resolve("toy.skulk").toString());
        assertTrue(skulk("models", "rm", MODEL, "--url", node.url()).contains("removed the staged copies"));
        assertEquals(List.of(), staged(node));
        node.close();
        long sent = hub.sent.get();
        Path other = temp.resolve("other");
        skulk("bundle", "import", temp.resolve("toy.skulk").toString(), "--home", other.toString());
        assertSame(other.resolve("models").resolve(FOLDER));
        SkulkProcess offline = serve("other", "--offline");
        ok(offline.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        awaitReady(offline);
        assertAnswers(offline);
        assertEquals(sent, hub.sent.get());
    }

    @Test
    void aModelCrossesTheInternetOnceWithAStore() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess client = client();
        assertTrue(ok(client.get("/store/health"))
                .string("storePath")
                .orElseThrow()
                .endsWith("tank"));
        assertEquals("{\"entries\":[]}", client.get("/store/registry").body());

        placeOn(client, host);
        awaitReady(client);
        assertAnswers(client);
        long once = hub.sent.get();
        assertTrue(once <= hub.modelBytes() * 101 / 100, once + " bytes of a model of " + hub.modelBytes());
        assertSame(temp.resolve("tank").resolve(FOLDER));
        assertSame(temp.resolve("cellar/staging").resolve(FOLDER));
        assertTrue(client.get("/store/registry").body().contains("\"model_id\":\"" + MODEL + "\""));
        assertTrue(ok(client.get("/store/models/" + MODEL + "/download/status"))
                .toString()
                .contains("complete"));
        assertEquals("{\"downloads\":[]}", client.get("/store/downloads").body());
        assertEquals(
                2,
                ok(client.get("/store/storage/cluster"))
                        .array("nodes")
                        .orElseThrow()
                        .size());

        deleteInstances(client);
        ok(host.post("/store/purge-staging", "{}"));
        assertEquals(List.of(), staged(client));
        assertSame(temp.resolve("tank").resolve(FOLDER));
        ok(client.post("/download/start", "{\"modelId\":\"" + MODEL + "\"}"));
        await().atMost(PATIENCE)
                .until(() ->
                        !staged(client).isEmpty() && client.get("/state").body().contains("DownloadCompleted"));
        assertEquals(once, hub.sent.get(), "staged again from the store");

        assertEquals(
                "{\"modelId\":\"%s\",\"deleted\":true}".formatted(MODEL),
                client.delete("/store/models/" + MODEL).body());
        assertEquals(404, client.delete("/store/models/" + MODEL).statusCode());
        assertEquals("{\"entries\":[]}", client.get("/store/registry").body());
        assertFalse(Files.exists(temp.resolve("tank").resolve(FOLDER)));
    }

    /** The host goes on with what it was fetching as soon as somebody asks for it again, and the client goes on asking. */
    @Test
    void aKilledStoreHostAndItsClientGoOn() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess client = client();
        hub.pauseMillis = 12;
        placeOn(client, host);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> hub.sent.get() > hub.modelBytes() / 2);
        host.kill();
        assertTrue(hub.sent.get() < hub.modelBytes() * 9 / 10, "killed too late to show anything");
        hub.pauseMillis = 0;
        host();
        awaitReady(client);
        assertAnswers(client);
        assertTrue(
                hub.sent.get() <= hub.modelBytes() * 11 / 10,
                hub.sent.get() + " bytes of a model of " + hub.modelBytes());
        assertSame(temp.resolve("tank").resolve(FOLDER));
        assertSame(temp.resolve("cellar/staging").resolve(FOLDER));
    }

    private void openStore() throws IOException {
        clusterPort = freePort();
        store = new String[] {
            "--set",
            "model_store.store_host=attic",
            "--set",
            "model_store.store_path=" + temp.resolve("tank"),
            "--set",
            "model_store.store_port=" + freePort(),
            "--set",
            "cluster.secret=correct horse battery staple",
            "--set",
            "model_store.store_http_host=127.0.0.1"
        };
    }

    private SkulkProcess host() throws Exception {
        return serve("attic", join(store, "--name", "attic", "--cluster-port", Integer.toString(clusterPort)));
    }

    private SkulkProcess client() throws Exception {
        String peer = "127.0.0.1:" + clusterPort;
        String port = Integer.toString(freePort());
        SkulkProcess client =
                serve("cellar", join(store, "--name", "cellar", "--cluster-port", port, "--bootstrap-peers", peer));
        await().atMost(PATIENCE)
                .until(() -> client.json("/state")
                                .object("nodeIdentities")
                                .orElseThrow()
                                .members()
                                .size()
                        == 2);
        return client;
    }

    private static void placeOn(SkulkProcess client, SkulkProcess host) throws Exception {
        String hostId = ((JsonString) Json.parse(host.get("/node_id").body())).value();
        String body = "{\"model_id\":\"%s\",\"excluded_nodes\":[\"%s\"]}".formatted(MODEL, hostId);
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(500))
                .until(() -> client.post("/place_instance", body).statusCode() == 200);
    }

    private static String[] join(String[] first, String... rest) {
        return Stream.concat(Stream.of(first), Stream.of(rest)).toArray(String[]::new);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
