package skulk.storage.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Extension;
import skulk.api.HttpFeature;
import skulk.api.StorageBackend;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.operation.Operation;

/** What the tests of the store share: a host and a client that talk over a real port, and a cluster that does as the test says. */
abstract class StoreFixture {
    static final ModelId MODEL = new ModelId("org/model");
    static final NodeId SELF = new NodeId("self");

    @TempDir
    Path root;

    final FakeCluster cluster = new FakeCluster();
    final List<StorePlugin> started = new ArrayList<>();
    int port;
    HttpFeature hostFeature;
    StorageBackend hostBackend;
    HttpFeature feature;
    StorageBackend backend;

    @AfterEach
    void stop() {
        started.forEach(StorePlugin::stop);
    }

    List<Extension> start(JsonObject settings) throws IOException {
        StorePlugin plugin = new StorePlugin();
        started.add(plugin);
        JsonObject all = settings.members().isEmpty() ? settings : JsonObject.of("model_store", settings);
        return plugin.start(FakeContext.create(all).with(cluster));
    }

    /** A host and a client that talk over a real port. */
    void startBoth() throws IOException {
        List<Extension> host = start(JsonObject.builder()
                .put("store_host", "self")
                .put("store_port", 0)
                .put("store_path", root.toString())
                .build());
        port = started.getLast().port().orElseThrow();
        hostBackend = (StorageBackend) host.getFirst();
        hostFeature = (HttpFeature) host.getLast();
        List<Extension> client = start(JsonObject.builder()
                .put("store_host", "elsewhere")
                .put("store_http_host", "127.0.0.1")
                .put("store_port", port)
                .build());
        backend = (StorageBackend) client.getFirst();
        feature = (HttpFeature) client.getLast();
    }

    static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    Path folder() throws IOException {
        return Files.createDirectories(root.resolve("org--model"));
    }

    ModelFile weights(int size) {
        return new ModelFile("model.safetensors", size, Optional.of("ab".repeat(32)));
    }

    void manifest(ModelFile... files) throws IOException {
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(files));
        Files.writeString(
                folder().resolve(".skulk.json"), Records.toJson(manifest).toString());
    }

    byte[] complete(int size) throws IOException {
        byte[] bytes = random(size);
        manifest(weights(size));
        Files.write(folder().resolve("model.safetensors"), bytes);
        return bytes;
    }

    static ModelCard card() {
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

    static Shard shard() {
        return Shard.PipelineShardMetadata.of(card(), 0, 1, 0, 4);
    }

    static ClusterView downloading(Download download) {
        ClusterView empty = ClusterView.empty(SELF);
        return new ClusterView(
                SELF,
                empty.master(),
                0,
                List.of(SELF),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(SELF, List.of(download)),
                Map.of(),
                empty.topology(),
                Map.of(),
                false,
                0);
    }

    static Download ongoing() {
        Download.Progress progress =
                new Download.Progress(new Memory(100), new Memory(25), new Memory(25), 0, 1, 0, 0, Map.of());
        return new Download.DownloadOngoing(SELF, shard(), "", progress);
    }

    void answering(Function<Operation.StartDownload, Object> download) {
        cluster.answering(operation -> switch (operation) {
            case Operation.ListModels l -> List.of(new Operation.CatalogEntry(card(), false));
            case Operation.StartDownload d -> download.apply(d);
            default -> throw new AssertionError("not expected: " + operation);
        });
    }

    static byte[] read(ReadableByteChannel channel) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocate(300_000);
        try (channel) {
            while (channel.read(buffer.clear()) >= 0) {
                out.write(buffer.array(), 0, buffer.position());
            }
        }
        return out.toByteArray();
    }

    int status(String path, String... headers) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
        for (int i = 0; i < headers.length; i += 2) {
            connection.setRequestProperty(headers[i], headers[i + 1]);
        }
        return connection.getResponseCode();
    }
}
