package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Every endpoint of models on disk, on the store's host and on a node that asks it: shapes, texts and codes of the contract. */
class StoreEndpointsIT extends StorageNodes {
    private static final String STORED = "/store/models/" + MODEL;
    private static final List<String> STATUS = List.of("modelId", "status", "progress", "error");

    private SkulkProcess host;
    private SkulkProcess client;
    private int port;

    /** All nodes are on this machine and have no secret, so that the store's own port can be read as well. */
    private void start() throws Exception {
        openStore();
        store = Arrays.stream(store)
                .map(s -> s.startsWith("cluster.secret") ? "offline=false" : s)
                .toArray(String[]::new);
        port = Arrays.stream(store)
                .filter(s -> s.startsWith("model_store.store_port="))
                .mapToInt(s -> Integer.parseInt(s.substring(s.indexOf('=') + 1)))
                .findFirst()
                .orElseThrow();
        host = host();
        client = client();
    }

    private static List<String> names(Json json) {
        return List.copyOf(((JsonObject) json).members().keySet());
    }

    private static void assertError(int status, String type, String message, HttpResponse<String> answer) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertEquals(
                "{\"error\":{\"message\":%s,\"type\":\"%s\",\"param\":null,\"code\":%d}}"
                        .formatted(Json.of(message), type, status),
                answer.body());
    }

    private static void assertInvalid(String type, String field, HttpResponse<String> answer) {
        assertEquals(422, answer.statusCode(), answer.body());
        JsonObject first = (JsonObject) ((JsonObject) Json.parse(answer.body()))
                .array("detail")
                .orElseThrow()
                .items()
                .getFirst();
        assertEquals(type, first.string("type").orElseThrow());
        assertTrue(first.array("loc").orElseThrow().toString().contains("\"" + field + "\""), first.toString());
    }

    private HttpResponse<String> raw(String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void theStoreFromEveryNode() throws Exception {
        start();
        for (SkulkProcess node : List.of(host, client)) {
            assertEquals(
                    List.of("storePath", "freeBytes", "totalBytes", "usedBytes"), names(ok(node.get("/store/health"))));
            assertEquals("{\"entries\":[]}", node.get("/store/registry").body());
            assertEquals("{\"downloads\":[]}", node.get("/store/downloads").body());
            assertEquals(
                    "{\"status\":\"not_found\"}",
                    node.get(STORED + "/download/status").body());
            assertError(404, "Not Found", "Model " + MODEL + " not in store", node.delete(STORED));
            assertInvalid("extra_forbidden", "model", node.post(STORED + "/download", "{\"model\":1}"));
            assertEquals(
                    400,
                    node.post(STORED + "/download", "{\"gguf_file\":\"x.gguf\"}")
                            .statusCode());
            assertError(
                    400,
                    "Bad Request",
                    "Failed to fetch model: no storage backend has nobody/none",
                    node.post("/store/models/nobody/none/download", "{}"));
        }

        hub.pauseMillis = 30;
        JsonObject begun = ok(client.post(STORED + "/download", ""));
        assertEquals(List.of("modelId", "status", "progress"), names(begun));
        assertTrue(
                List.of("pending", "downloading")
                        .contains(begun.string("status").orElseThrow()),
                begun.toString());
        await().atMost(PATIENCE)
                .until(() -> client.get(STORED + "/download/status").body().contains("\"downloading\""));
        for (SkulkProcess node : List.of(host, client)) {
            JsonObject status = ok(node.get(STORED + "/download/status"));
            assertEquals(STATUS, names(status));
            assertTrue(status.toString().endsWith("\"error\":null}"), status.toString());
            JsonArray downloads =
                    ok(node.get("/store/downloads")).array("downloads").orElseThrow();
            assertEquals(1, downloads.items().size());
            assertEquals(STATUS, names(downloads.items().getFirst()));
            assertError(
                    409,
                    "Conflict",
                    "Model " + MODEL + " is being downloaded; cancel the download first",
                    node.delete(STORED));
        }
        hub.pauseMillis = 0;
        await().atMost(PATIENCE)
                .until(() -> client.get(STORED + "/download/status").body().contains("\"complete\""));
        assertEquals(
                "{\"modelId\":\"%s\",\"status\":\"complete\",\"progress\":1.0}".formatted(MODEL),
                client.post(STORED + "/download", "{}").body());
        JsonObject entry = (JsonObject) ok(client.get("/store/registry"))
                .array("entries")
                .orElseThrow()
                .items()
                .getFirst();
        assertEquals(
                List.of("model_id", "store_path", "files", "downloaded_at", "total_bytes", "repo_has_projector"),
                names(entry));
        assertEquals(
                temp.resolve("tank").resolve(FOLDER).toString(),
                entry.string("store_path").orElseThrow());
        assertEquals(hub.modelBytes(), entry.integer("total_bytes").orElseThrow());
        assertEquals(
                hub.files().size(), entry.array("files").orElseThrow().items().size());
        onItsOwnPort();

        placeOn(host, client);
        awaitReady(host);
        assertEquals(409, client.delete(STORED).statusCode());
        deleteInstances(host);
        await().atMost(PATIENCE)
                .until(() ->
                        client.delete(STORED).body().equals("{\"modelId\":\"%s\",\"deleted\":true}".formatted(MODEL)));
        host.kill();
        HttpResponse<String> unreachable = client.get("/store/health");
        assertEquals(503, unreachable.statusCode());
        assertTrue(unreachable.body().contains("\"message\":\"Store unreachable"), unreachable.body());
    }

    private void onItsOwnPort() throws Exception {
        assertEquals(
                List.of("store_path", "free_bytes", "total_bytes", "used_bytes"),
                names(Json.parse(raw("/health").body())));
        assertEquals(
                1, ((JsonArray) Json.parse(raw("/registry").body())).items().size());
        assertEquals("[\"" + MODEL + "\"]", raw("/models").body());
        assertEquals("[]", raw("/downloads").body());
        String files = "/models/" + MODEL.replace("/", "%2F");
        assertTrue(raw(files + "/files").body().contains("\"config.json\""));
        assertEquals(404, raw("/models/nobody%2Fnone/files").statusCode());
        assertEquals(
                Files.readString(hub.files().getFirst()),
                raw(files + "/config.json").body());
        HttpResponse<String> part = raw(files + "/config.json", "Range", "bytes=1-4");
        assertEquals(206, part.statusCode());
        assertEquals(4, part.body().length());
        assertEquals(
                416, raw(files + "/config.json", "Range", "bytes=100000000-").statusCode());
        assertEquals(400, raw(files + "/..%2F..%2Fregistry.json").statusCode());
        assertTrue(raw(files + "/download/status").body().contains("\"model_id\""));
    }

    @Test
    void stagedCopiesAndDownloads() throws Exception {
        start();
        for (SkulkProcess node : List.of(host, client)) {
            assertEquals(
                    List.of(
                            "nodeId",
                            "stagingRoot",
                            "stagedModels",
                            "stagedTotalBytes",
                            "eventLogBytes",
                            "diskTotalBytes",
                            "diskFreeBytes"),
                    names(ok(node.get("/store/storage"))));
        }
        String self = id(client);
        JsonObject added = ok(client.post("/models/add", "{\"model_id\":\"" + MODEL + "\"}"));
        assertEquals(MODEL, added.string("id").orElseThrow());
        assertTrue(added.bool("is_custom").orElseThrow());
        HttpResponse<String> unknown = client.post("/models/add", "{\"model_id\":\"nobody/none\"}");
        assertEquals(400, unknown.statusCode());
        assertTrue(unknown.body().contains("\"message\":\"Failed to fetch model: "), unknown.body());
        assertInvalid("missing", "model_id", client.post("/models/add", "{}"));

        assertEquals(
                List.of("commandId"), names(ok(client.post("/download/start", "{\"modelId\":\"" + MODEL + "\"}"))));
        JsonObject completed = await().atMost(PATIENCE)
                .until(
                        () -> ok(client.get("/state"))
                                .object("downloads")
                                .flatMap(d -> d.array(self))
                                .map(d -> (JsonObject) d.items().getFirst())
                                .flatMap(d -> d.object("DownloadCompleted")),
                        Optional::isPresent)
                .orElseThrow();
        assertEquals(List.of("nodeId", "shardMetadata", "modelDirectory", "total", "readOnly"), names(completed));
        String contract = "{\"targetNodeId\":\"%s\",\"shardMetadata\":%s}"
                .formatted(self, completed.object("shardMetadata").orElseThrow());
        assertEquals(List.of("commandId"), names(ok(host.post("/download/start", contract))));
        assertEquals(
                404,
                host.post("/download/start", contract.replace(self, "nobody")).statusCode());
        assertInvalid("missing", "shardMetadata", host.post("/download/start", "{\"targetNodeId\":\"x\"}"));
        assertEquals(List.of("commandId"), names(ok(host.delete("/download/" + self + "/" + MODEL))));
        assertEquals(404, host.delete("/download/nobody/" + MODEL).statusCode());

        JsonObject copy = staged(client).getFirst();
        assertEquals(List.of("modelId", "directory", "sizeBytes", "lastUsedEpochSeconds", "inUse"), names(copy));
        assertEquals(422, client.post("/store/purge-staging", "").statusCode());
        assertInvalid("extra_forbidden", "model", client.post("/store/purge-staging", "{\"model\":\"a/b\"}"));
        JsonObject purged = ok(host.post("/store/purge-staging", "{\"model_id\":\"" + MODEL + "\"}"));
        assertEquals(List.of("commandId", "message"), names(purged));
        assertEquals(
                "Purge staging command broadcast to all nodes for model " + MODEL,
                purged.string("message").orElseThrow());
        assertEquals(List.of(), staged(client), "of another node");

        assertEquals(
                "{\"message\":\"Model card deleted\",\"model_id\":\"%s\"}".formatted(MODEL),
                client.delete("/models/custom/" + MODEL).body());
        assertError(404, "Not Found", "Custom model card not found", client.delete("/models/custom/" + MODEL));
    }

    @Test
    void searchAndFolders() throws Exception {
        SkulkProcess node = serve("home");
        Json found = Json.parse(
                node.get("/models/search?query=toy&limit=5&mlx_only=true").body());
        assertEquals("?search=toy&limit=5&sort=downloads&direction=-1&full=true&filter=mlx", hub.searched);
        assertEquals(
                List.of("id", "author", "downloads", "likes", "last_modified", "tags"),
                names(((JsonArray) found).items().getFirst()));
        assertInvalid("int_parsing", "limit", node.get("/models/search?query=toy&limit=many"));

        Files.createDirectories(temp.resolve("folders/inner"));
        assertEquals(
                "{\"path\":\"%s\",\"directories\":[{\"name\":\"inner\",\"path\":\"%s\"}]}"
                        .formatted(temp.resolve("folders"), temp.resolve("folders/inner")),
                node.get("/filesystem/browse?path=" + temp.resolve("folders")).body());
        assertError(400, "Bad Request", "Path outside allowed roots", node.get("/filesystem/browse?path=/etc"));
        assertError(400, "Bad Request", "Path outside allowed roots", node.get("/filesystem/browse?path=/tmp/../etc"));
        assertEquals(
                404, node.get("/filesystem/browse?path=" + temp.resolve("none")).statusCode());
    }
}
