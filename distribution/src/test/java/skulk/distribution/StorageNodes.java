package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.FreePort;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** What the tests of models on disk share: a hub that counts what it sends, and nodes as processes. */
abstract class StorageNodes {
    static final String MODEL = "acme/Toy-bf16";
    static final String FOLDER = "acme--Toy-bf16";
    /** The machine may be under load, and the model large; all of it takes a few seconds with a small one. */
    static final Duration PATIENCE = Duration.ofSeconds(Math.max(90, Integer.getInteger("skulk.storage.megabytes", 0)));

    /** What a killed process may lose: 8 MiB of each of the two large files. */
    static final long LOSS = 2 * 8L << 20;

    @TempDir
    Path temp;

    HubStandIn hub;
    String[] store = {};
    int clusterPort;
    int clientPort;
    final List<SkulkProcess> nodes = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        hub = new HubStandIn(MODEL, model(temp.resolve("hub")));
    }

    Path model(Path folder) throws IOException {
        return ToyModel.write(folder);
    }

    @AfterEach
    void close() {
        nodes.forEach(SkulkProcess::close);
        hub.close();
    }

    SkulkProcess serve(String home, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--set", "hub.endpoint=" + hub.endpoint()));
        arguments.addAll(List.of(more));
        SkulkProcess node = SkulkProcess.serve(temp.resolve(home), arguments.toArray(String[]::new));
        nodes.add(node);
        return node;
    }

    /** Waits until the hub has sent a part of the model, at which it stands still. */
    void awaitSent(int part, int of) throws IOException {
        hub.holdAt = hub.modelBytes() * part / of;
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> hub.sent.get() >= hub.holdAt);
    }

    /** Lets the hub send the rest without a pause, after something was killed in the middle. */
    void release() throws IOException {
        assertTrue(hub.sent.get() < hub.modelBytes() * 2 / 3, "killed too late to show anything");
        hub.pauseMillis = 0;
        hub.holdAt = Long.MAX_VALUE;
    }

    /** Runs a command to its end and answers what it printed. */
    String skulk(String... arguments) throws Exception {
        try (SkulkProcess process = SkulkProcess.start(temp, Map.of(), List.of(arguments))) {
            int code = process.exitCode(PATIENCE);
            assertEquals(0, code, process.log());
            return process.log();
        }
    }

    /** Adds a line to {@code target/storage.txt}, for people. */
    static void measured(String figures) throws IOException {
        Files.writeString(
                Path.of("target/storage.txt"), figures + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    static JsonObject ok(HttpResponse<String> response) {
        assertEquals(200, response.statusCode(), response.body());
        return (JsonObject) Json.parse(response.body());
    }

    /** Waits until each of these nodes, as far as it knows itself, can be asked for what is placed. */
    static void awaitReady(SkulkProcess... nodes) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).until(() -> {
            for (SkulkProcess node : nodes) {
                if (!ready(node.json("/state"))) {
                    return false;
                }
            }
            return true;
        });
    }

    /** Whether a state has a placement and all ranks of all placements serve. */
    private static boolean ready(JsonObject state) {
        String text = state.toString();
        assertFalse(text.contains("RunnerFailed") || text.contains("DownloadFailed"), text);
        return TestCluster.serving(state);
    }

    /** What a node's health says of the download that failed, once it has. */
    static JsonObject awaitFailed(SkulkProcess node) throws Exception {
        String self = id(node);
        return await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> failed(node, self), Optional::isPresent)
                .orElseThrow();
    }

    private static Optional<JsonObject> failed(SkulkProcess node, String self) throws Exception {
        JsonObject health = node.json("/state")
                .object("nodeHealth")
                .flatMap(all -> all.object(self))
                .orElseThrow();
        return health.array("reasons").orElseThrow().items().stream()
                .map(JsonObject.class::cast)
                .filter(r -> r.string("code").orElseThrow().equals("download_failed"))
                .peek(r -> assertEquals("error", health.string("level").orElseThrow()))
                .findFirst();
    }

    /** The model that ships with Skulk serves on a node, whatever happened to others. */
    static void assertServes(SkulkProcess node) throws Exception {
        ok(node.post("/place_instance", "{\"model_id\":\"%s\"}".formatted(ServingNode.TINY)));
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> node.post("/v1/chat/completions", ping(ServingNode.TINY))
                                .statusCode()
                        == 200);
    }

    static String ping(String model) {
        return "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"ping\"}],\"max_tokens\":2}"
                .formatted(model);
    }

    static void assertAnswers(SkulkProcess node) throws Exception {
        JsonObject answer = ok(node.post("/v1/chat/completions", ping(MODEL)));
        assertTrue(
                answer.object("usage")
                                .flatMap(u -> u.integer("completion_tokens"))
                                .orElse(0L)
                        > 0,
                answer.toString());
    }

    void assertSame(Path copy) throws IOException {
        for (Path file : hub.files()) {
            assertEquals(HubStandIn.sha256(file), HubStandIn.sha256(copy.resolve(file.getFileName())), file.toString());
        }
        try (Stream<Path> all = Files.list(copy)) {
            assertTrue(all.noneMatch(f -> f.toString().contains(".partial")));
        }
    }

    /** Deletes all that is placed, through the first of these nodes, and waits until none of them knows or uses any of it. */
    static void deleteInstances(SkulkProcess... nodes) throws Exception {
        await().atMost(PATIENCE).until(() -> {
            for (String id :
                    TestCluster.instances(nodes[0])) { // again, as one that lost a node may be placed anew meanwhile
                int status = nodes[0].delete("/instance/" + id).statusCode();
                assertTrue(status == 200 || status == 404, () -> id + ": " + status);
            }
            for (SkulkProcess node : nodes) {
                if (!TestCluster.instances(node).isEmpty()
                        || staged(node).stream().anyMatch(m -> m.bool("inUse").orElseThrow())) {
                    return false;
                }
            }
            return true;
        });
    }

    static List<JsonObject> staged(SkulkProcess node) throws Exception {
        JsonObject report = ok(node.get("/store/storage"));
        assertTrue(report.integer("diskFreeBytes").orElse(0L) > 0 && report.has("eventLogBytes"), report.toString());
        return report.array("stagedModels").orElse(JsonArray.of()).items().stream()
                .map(JsonObject.class::cast)
                .toList();
    }

    void openStore() throws IOException {
        clusterPort = FreePort.find();
        store = new String[] {
            "--set",
            "model_store.store_host=attic",
            "--set",
            "model_store.store_path=" + temp.resolve("tank"),
            "--set",
            "model_store.store_port=" + FreePort.find(),
            "--set",
            "cluster.secret=correct horse battery staple",
            "--set",
            "model_store.store_http_host=127.0.0.1"
        };
    }

    SkulkProcess host() throws Exception {
        return serve("attic", join(store, "--name", "attic", "--cluster-port", Integer.toString(clusterPort)));
    }

    /** The host once more, which joins what is left of its cluster. */
    SkulkProcess hostAgain(int members) throws Exception {
        String peer = "127.0.0.1:" + clientPort;
        SkulkProcess host = serve(
                "attic",
                join(
                        store,
                        "--name",
                        "attic",
                        "--cluster-port",
                        Integer.toString(clusterPort),
                        "--bootstrap-peers",
                        peer));
        await().atMost(PATIENCE).until(() -> members(host) == members);
        return host;
    }

    static int members(SkulkProcess node) throws Exception {
        return node.json("/state")
                .object("nodeIdentities")
                .orElseThrow()
                .members()
                .size();
    }

    SkulkProcess client() throws Exception {
        return client("cellar", 2);
    }

    /** @param members of the cluster once it has joined */
    SkulkProcess client(String name, int members) throws Exception {
        String peer = "127.0.0.1:" + clusterPort;
        clientPort = FreePort.find();
        String port = Integer.toString(clientPort);
        SkulkProcess client =
                serve(name, join(store, "--name", name, "--cluster-port", port, "--bootstrap-peers", peer));
        await().atMost(PATIENCE).until(() -> members(client) == members);
        return client;
    }

    static void placeOn(SkulkProcess client, SkulkProcess host) throws Exception {
        place(client, 1, "Pipeline", host);
    }

    static String id(SkulkProcess node) throws Exception {
        return ((JsonString) Json.parse(node.get("/node_id").body())).value();
    }

    /** Places the model on some nodes; those that are not to have it are excluded. */
    static void place(SkulkProcess client, int nodes, String sharding, SkulkProcess... without) throws Exception {
        List<String> excluded = new ArrayList<>();
        for (SkulkProcess node : without) {
            excluded.add(id(node));
        }
        String body = JsonObject.builder()
                .put("model_id", MODEL)
                .put("min_nodes", nodes)
                .put("sharding", sharding)
                .put("excluded_nodes", excluded)
                .build()
                .toString();
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            HttpResponse<String> placed = client.post("/place_instance", body);
            assertEquals(200, placed.statusCode(), placed::body);
        });
    }

    static String[] join(String[] first, String... rest) {
        return Stream.concat(Stream.of(first), Stream.of(rest)).toArray(String[]::new);
    }
}
