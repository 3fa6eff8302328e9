package skulk.storage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Extension;
import skulk.api.HttpFeature;
import skulk.api.StorageBackend;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Download;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeSettings;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class StorePluginTest {
    private static final ModelId MODEL = new ModelId("org/model");
    private static final NodeId SELF = new NodeId("self");

    @TempDir
    Path root;

    private final FakeCluster cluster = new FakeCluster();
    private final List<StorePlugin> started = new ArrayList<>();
    private int port;
    private HttpFeature hostFeature;
    private StorageBackend hostBackend;
    private HttpFeature feature;
    private StorageBackend backend;

    @AfterEach
    void stop() {
        started.forEach(StorePlugin::stop);
    }

    private List<Extension> start(JsonObject settings, String secret) throws IOException {
        StorePlugin plugin = new StorePlugin();
        started.add(plugin);
        JsonObject all = settings.members().isEmpty()
                ? settings
                : JsonObject.builder()
                        .put("model_store", settings)
                        .put("cluster", JsonObject.of("secret", secret))
                        .build();
        return plugin.start(FakeContext.create(all).with(cluster));
    }

    /** A host and a client that talk over a real port. */
    private void startBoth(String secret) throws IOException {
        List<Extension> host = start(
                JsonObject.builder().put("store_host", "self").put("store_port", 0).put("store_path", root.toString()).build(),
                secret);
        port = started.getLast().port().orElseThrow();
        hostBackend = (StorageBackend) host.getFirst();
        hostFeature = (HttpFeature) host.getLast();
        List<Extension> client = start(
                JsonObject.builder()
                        .put("store_host", "elsewhere")
                        .put("store_http_host", "127.0.0.1")
                        .put("store_port", port)
                        .build(),
                secret);
        backend = (StorageBackend) client.getFirst();
        feature = (HttpFeature) client.getLast();
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private Path folder() throws IOException {
        return Files.createDirectories(root.resolve("org--model"));
    }

    private ModelFile weights(int size) {
        return new ModelFile("model.safetensors", size, Optional.of("ab".repeat(32)));
    }

    private void manifest(ModelFile... files) throws IOException {
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(files));
        Files.writeString(folder().resolve(".skulk.json"), Records.toJson(manifest).toString());
    }

    private byte[] complete(int size) throws IOException {
        byte[] bytes = random(size);
        manifest(weights(size));
        Files.write(folder().resolve("model.safetensors"), bytes);
        return bytes;
    }

    private static ModelCard card() {
        JsonObject json = JsonObject.builder()
                .put("modelId", "org/model")
                .put("storageSize", JsonObject.of("inBytes", 10))
                .put("nLayers", 4)
                .put("hiddenSize", 8)
                .put("supportsTensor", false)
                .put("family", "")
                .put("quantization", "")
                .put("baseModel", "")
                .put("contextLength", 0)
                .put("usesCfg", false)
                .put("trustRemoteCode", false)
                .put("isCustom", false)
                .build();
        return Records.fromJson(json, ModelCard.class);
    }

    private static Shard shard() {
        return Shard.PipelineShardMetadata.of(card(), 0, 1, 0, 4);
    }

    private static ClusterView downloading(Download download) {
        ClusterView empty = ClusterView.empty(SELF);
        return new ClusterView(
                SELF, empty.master(), 0, List.of(SELF), Map.of(), Map.of(), Map.of(), Map.of(SELF, List.of(download)),
                Map.of(), empty.topology(), Map.of(), false, 0);
    }

    private static Download ongoing() {
        Download.Progress progress =
                new Download.Progress(new Memory(100), new Memory(25), new Memory(25), 0, 1, 0, 0, Map.of());
        return new Download.DownloadOngoing(SELF, shard(), "", progress);
    }

    private void answering(Function<Operation.StartDownload, Object> download) {
        cluster.answering(operation -> switch (operation) {
            case Operation.ListModels l -> List.of(new Operation.CatalogEntry(card(), false));
            case Operation.StartDownload d -> download.apply(d);
            default -> throw new AssertionError("not expected: " + operation);
        });
    }

    private static byte[] read(ReadableByteChannel channel) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocate(300_000);
        try (channel) {
            while (channel.read(buffer.clear()) >= 0) {
                out.write(buffer.array(), 0, buffer.position());
            }
        }
        return out.toByteArray();
    }

    private int status(String path, String... headers) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
        for (int i = 0; i < headers.length; i += 2) {
            connection.setRequestProperty(headers[i], headers[i + 1]);
        }
        return connection.getResponseCode();
    }

    @Test
    void withoutAStoreEveryEndpointSaysSo() throws IOException {
        List<Extension> offers = start(JsonObject.EMPTY, "");
        HttpFeature none = assertInstanceOf(HttpFeature.class, offers.getFirst());
        for (String path : List.of("/store/health", "/store/registry", "/store/downloads")) {
            FakeExchange answer = new FakeExchange().run(none, "GET", path);
            assertEquals(503, answer.status());
            assertTrue(answer.text().contains("Store not configured"));
        }
        assertEquals(1, offers.size());
    }

    @Test
    void anUnreachableStoreIsSaidToBe() throws IOException {
        startBoth("");
        started.getFirst().stop();
        FakeExchange answer = new FakeExchange().run(feature, "GET", "/store/health");
        assertEquals(503, answer.status());
        assertTrue(answer.text().contains("Store unreachable"), answer.text());
        assertThrows(IOException.class, () -> backend.find(MODEL));
    }

    @Test
    void servesFilesInRangesAndNothingElse() throws IOException {
        complete(1000);
        Files.writeString(root.resolve("secret.txt"), "x");
        startBoth("");
        String base = "/models/org%2Fmodel/";
        assertEquals(200, status(base + "model.safetensors"));
        assertEquals(206, status(base + "model.safetensors", "Range", "bytes=10-"));
        assertEquals(206, status(base + "model.safetensors", "Range", "bytes=-5"));
        assertEquals(416, status(base + "model.safetensors", "Range", "bytes=1000-"));
        assertEquals(400, status(base + "..%2F..%2Fsecret.txt"));
        assertEquals(400, status(base + "../../secret.txt"));
        assertEquals(400, status("/models/..%2F..%2Fetc/files"));
        assertEquals(404, status(base + ".skulk.json"));
        assertEquals(404, status(base + "none"));
        assertEquals(404, status("/models/org%2Fnone/files"));
        assertEquals(404, status("/elsewhere"));
        assertEquals(200, status("/models"));
        assertEquals(200, status("/downloads"));
    }

    @Test
    void requestsAreSignedWithTheClusterSecret() throws IOException {
        byte[] bytes = complete(1000);
        startBoth("the secret");
        assertEquals(401, status("/health"));
        Signature wrong = new Signature("another");
        assertEquals(401, status("/health", Signature.HEADER, wrong.sign("GET", "/health", Instant.now()).orElseThrow()));
        Signature right = new Signature("the secret");
        assertEquals(200, status("/health", Signature.HEADER, right.sign("GET", "/health", Instant.now()).orElseThrow()));
        assertEquals(401, status("/registry", Signature.HEADER, right.sign("GET", "/health", Instant.now()).orElseThrow()));
        Instant old = Instant.now().minusSeconds(600);
        assertEquals(401, status("/health", Signature.HEADER, right.sign("GET", "/health", old).orElseThrow()));
        assertEquals(401, status("/health", Signature.HEADER, "x"));
        ModelFile file = backend.find(MODEL).orElseThrow().files().getFirst();
        assertArrayEquals(bytes, read(backend.open(MODEL, file, 0)));
        assertEquals(200, new FakeExchange().run(feature, "GET", "/store/registry").status());
    }

    @Test
    void aClientReadsWhatTheHostLoadsInPlace() throws IOException {
        byte[] bytes = complete(40 << 20);
        startBoth("");
        ModelManifest manifest = backend.find(MODEL).orElseThrow();
        assertEquals("r1", manifest.revision());
        assertEquals(List.of(weights(40 << 20)), manifest.files());
        byte[] rest = read(backend.open(MODEL, manifest.files().getFirst(), 3_000_000));
        assertArrayEquals(Arrays.copyOfRange(bytes, 3_000_000, bytes.length), rest);
        assertEquals(Optional.empty(), backend.local(MODEL));
        assertEquals(Optional.of(root.resolve("org--model")), hostBackend.local(MODEL));
        assertEquals(List.of(MODEL), hostBackend.models());
        assertEquals(Optional.empty(), backend.find(new ModelId("org/none")));
    }

    @Test
    void foldersThatAnOperatorPutsThereCount() throws IOException {
        Files.writeString(folder().resolve("config.json"), "{}");
        startBoth("");
        assertEquals(Optional.empty(), backend.find(MODEL));
        Files.writeString(folder().resolve("model.safetensors"), "123");
        assertEquals(2, backend.find(MODEL).orElseThrow().files().size());
    }

    @Test
    void sendsAFileWhileItIsStillBeingDownloaded() throws Exception {
        int block = StoreFolder.BLOCK;
        byte[] bytes = random(3 * block + 500);
        manifest(weights(bytes.length));
        Path partial = folder().resolve("model.safetensors.partial");
        Path journal = folder().resolve("model.safetensors.partial.blocks");
        Files.write(partial, Arrays.copyOf(bytes, block));
        Files.write(journal, ByteBuffer.allocate(36).position(32).putInt(0).array());
        cluster.show(downloading(ongoing()));
        startBoth("");
        ModelFile file = backend.find(MODEL).orElseThrow().files().getFirst();
        CompletableFuture<byte[]> reader = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                reader.complete(read(backend.open(MODEL, file, 0)));
            } catch (IOException e) {
                reader.completeExceptionally(e);
            }
        });
        for (int i = 1; i < 3; i++) {
            assertThrows(java.util.concurrent.TimeoutException.class, () -> reader.get(100, TimeUnit.MILLISECONDS));
            Files.write(partial, Arrays.copyOfRange(bytes, i * block, (i + 1) * block), StandardOpenOption.APPEND);
            Files.write(journal, ByteBuffer.allocate(4).putInt(i).array(), StandardOpenOption.APPEND);
        }
        Files.write(partial, Arrays.copyOfRange(bytes, 3 * block, bytes.length), StandardOpenOption.APPEND);
        Files.move(partial, folder().resolve("model.safetensors"));
        assertArrayEquals(bytes, reader.get(10, TimeUnit.SECONDS));
    }

    @Test
    void aClientHasTheHostFetchWhatTheStoreLacks() throws IOException {
        startBoth("");
        answering(d -> {
            try {
                manifest(weights(10));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            cluster.show(downloading(ongoing()));
            return new CommandId("c1");
        });
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(weights(10)));
        assertEquals(Optional.empty(), backend.upload(manifest));
        assertEquals(List.of(weights(10)), backend.find(MODEL).orElseThrow().files());
        Operation.StartDownload call = assertInstanceOf(Operation.StartDownload.class, cluster.calls().getLast());
        assertEquals(SELF, call.node());
        assertEquals(4, call.shard().endLayer());
        FakeExchange downloads = new FakeExchange().run(feature, "GET", "/store/downloads");
        assertEquals(
                "{\"downloads\":[{\"modelId\":\"org/model\",\"status\":\"downloading\",\"progress\":0.25,\"error\":null}]}",
                downloads.text());
        FakeExchange status = new FakeExchange()
                .pathParameter("id", "org/model")
                .run(feature, "GET", "/store/models/{id+}/download/status");
        assertEquals(
                "{\"modelId\":\"org/model\",\"status\":\"downloading\",\"progress\":0.25,\"error\":null}", status.text());
    }

    @Test
    void tellsWhyTheHostCouldNotFetch() throws IOException {
        startBoth("");
        answering(d -> {
            cluster.show(downloading(new Download.DownloadFailed(SELF, shard(), "", "no source has it")));
            return new CommandId("c1");
        });
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(weights(10)));
        IOException e = assertThrows(IOException.class, () -> backend.upload(manifest));
        assertTrue(e.getMessage().contains("no source has it"), e.getMessage());
        cluster.answering(operation -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "unknown model");
        });
        FakeExchange answer = new FakeExchange()
                .pathParameter("id", "org/model")
                .run(feature, "POST", "/store/models/{id+}/download");
        assertEquals(404, answer.status());
        assertTrue(answer.text().contains("unknown model"), answer.text());
    }

    @Test
    void downloadingWhatIsThereIsCompleteAtOnce() throws IOException {
        complete(10);
        startBoth("");
        for (HttpFeature either : List.of(hostFeature, feature)) {
            FakeExchange answer = new FakeExchange()
                    .pathParameter("id", "org/model")
                    .body("{}")
                    .run(either, "POST", "/store/models/{id+}/download");
            assertEquals("{\"modelId\":\"org/model\",\"status\":\"complete\",\"progress\":1.0}", answer.text());
        }
        assertTrue(cluster.calls().isEmpty());
        FakeExchange gguf = new FakeExchange()
                .pathParameter("id", "org/model")
                .body("{\"gguf_file\":\"x.gguf\"}")
                .run(feature, "POST", "/store/models/{id+}/download");
        assertEquals(400, gguf.status());
        FakeExchange unknown = new FakeExchange()
                .pathParameter("id", "org/none")
                .run(feature, "GET", "/store/models/{id+}/download/status");
        assertEquals("{\"status\":\"not_found\"}", unknown.text());
    }

    @Test
    void keepsARegistryAndDeletesFromIt() throws IOException {
        complete(10);
        startBoth("");
        JsonObject registry = new FakeExchange().run(feature, "GET", "/store/registry").jsonResponse();
        JsonObject entry = (JsonObject) registry.array("entries").orElseThrow().items().getFirst();
        assertEquals(Optional.of("org/model"), entry.string("model_id"));
        assertEquals(Optional.of(10L), entry.integer("total_bytes"));
        assertEquals("[\"model.safetensors\"]", entry.array("files").orElseThrow().toString());
        assertEquals(
                registry.array("entries").orElseThrow(), Json.parse(Files.readString(root.resolve("registry.json"))));
        cluster.show(downloading(ongoing()));
        assertEquals(409, delete("org/model").status());
        cluster.show(ClusterView.empty(SELF));
        assertEquals("{\"modelId\":\"org/model\",\"deleted\":true}", delete("org/model").text());
        assertFalse(Files.exists(root.resolve("org--model")));
        assertEquals("[]\n", Files.readString(root.resolve("registry.json")));
        FakeExchange again = delete("org/model");
        assertEquals(404, again.status());
        assertTrue(again.text().contains("Model org/model not in store"));
        try (var left = Files.list(root)) {
            assertEquals(List.of(root.resolve("registry.json")), left.toList());
        }
    }

    private FakeExchange delete(String model) {
        return new FakeExchange().pathParameter("id", model).run(feature, "DELETE", "/store/models/{id+}");
    }

    @Test
    void reportsItsHealth() throws IOException {
        complete(1000);
        startBoth("");
        JsonObject health = new FakeExchange().run(feature, "GET", "/store/health").jsonResponse();
        assertEquals(Optional.of(root.toString()), health.string("storePath"));
        assertTrue(health.integer("usedBytes").orElseThrow() >= 1000);
        assertTrue(health.integer("freeBytes").orElseThrow() <= health.integer("totalBytes").orElseThrow());
    }

    @Test
    void settingsAreChecked() {
        assertThrows(SkulkException.class, () -> start(JsonObject.of("store_host", "self"), ""));
        assertThrows(
                SkulkException.class,
                () -> start(JsonObject.builder().put("store_host", "x").put("store_port", 1.5).build(), ""));
        assertEquals(
                Optional.empty(),
                StoreSettings.of(
                        new FakeSettings((JsonObject) Json.parse(
                                "{\"model_store\":{\"enabled\":false,\"store_host\":\"x\"}}")),
                        "id"));
    }

    @Test
    void rangesFollowTheRules() {
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.empty(), 10));
        assertEquals(Optional.of(new FileSender.Span(2, 6)), FileSender.Span.of(Optional.of("bytes=2-5"), 10));
        assertEquals(Optional.of(new FileSender.Span(2, 10)), FileSender.Span.of(Optional.of("bytes=2-99"), 10));
        assertEquals(Optional.of(new FileSender.Span(7, 10)), FileSender.Span.of(Optional.of("bytes=-3"), 10));
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.of("bytes=-30"), 10));
        assertEquals(Optional.empty(), FileSender.Span.of(Optional.of("bytes=10-"), 10));
        assertEquals(Optional.empty(), FileSender.Span.of(Optional.of("bytes=5-2"), 10));
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.of("bytes=1-2,4-5"), 10));
    }
}
