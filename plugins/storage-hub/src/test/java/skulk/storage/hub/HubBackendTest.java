package skulk.storage.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.SkulkException;
import skulk.storage.hub.HubStandIn.Reply;

class HubBackendTest {
    private static final ModelId MODEL = new ModelId("org/model");
    private static final int MIB = 1 << 20;

    private HubStandIn hub;
    private Duration stall = Duration.ofSeconds(20);
    private Optional<HubClient> client = Optional.empty();

    @BeforeEach
    void start() throws IOException {
        hub = new HubStandIn();
    }

    @AfterEach
    void stop() throws IOException {
        client.ifPresent(HubClient::close);
        hub.close();
    }

    private HubSettings settings(Optional<String> token, boolean offline) {
        return new HubSettings(URI.create(hub.endpoint()), token, offline, Map.of(), stall, 3, Duration.ofMillis(5));
    }

    private HubBackend backend(Optional<String> token) {
        HubSettings settings = settings(token, false);
        HubClient made = new HubClient(settings);
        client = Optional.of(made);
        return new HubBackend(settings, made);
    }

    private HubBackend backend() {
        return backend(Optional.empty());
    }

    private byte[] weights(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        hub.with("org/model", "model.safetensors", bytes, true)
                .with("org/model", "config.json", "{}".getBytes(), false);
        return bytes;
    }

    private static ModelFile file(ModelManifest manifest, String path) {
        return manifest.files().stream()
                .filter(f -> f.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    private static byte[] read(ReadableByteChannel channel, int limit) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocate(100_000);
        try (channel) {
            while (out.size() < limit
                    && channel.read(buffer.clear().limit(Math.min(100_000, limit - out.size()))) >= 0) {
                out.write(buffer.array(), 0, buffer.position());
            }
        }
        return out.toByteArray();
    }

    private static ReadableByteChannel open(HubBackend backend, ModelFile file, long offset) throws IOException {
        return backend.open(MODEL, file, new ByteRange(offset, file.size()));
    }

    private byte[] readWeights(HubBackend backend, long offset) throws IOException {
        ModelManifest manifest = backend.find(MODEL).orElseThrow();
        return read(open(backend, file(manifest, "model.safetensors"), offset), Integer.MAX_VALUE);
    }

    @Test
    void listsWhatServingNeedsWithSizesDigestsAndCommit() throws IOException {
        byte[] weights = weights(1000);
        for (String other : List.of(
                "pytorch_model.bin",
                "model.gguf",
                "onnx/model.onnx",
                ".gitattributes",
                "README.md",
                "consolidated.safetensors",
                "onnx/config.json")) {
            hub.with("org/model", other, new byte[10], false);
        }
        hub.with("org/model", "1_Pooling/config.json", "{}".getBytes(), false)
                .with("org/model", "chat_template.jinja", "x".getBytes(), false);
        ModelManifest manifest = backend().find(MODEL).orElseThrow();
        assertEquals(
                List.of("1_Pooling/config.json", "chat_template.jinja", "config.json", "model.safetensors"),
                manifest.files().stream().map(ModelFile::path).sorted().toList());
        assertEquals(hub.commit, manifest.revision());
        assertEquals(
                Optional.of(HubStandIn.sha256(weights)),
                file(manifest, "model.safetensors").sha256());
        assertEquals(1000, file(manifest, "model.safetensors").size());
        assertEquals(Optional.empty(), file(manifest, "config.json").sha256());
    }

    @Test
    void readsInBoundedRangesSoThatNothingIsSentInVain() throws IOException {
        byte[] weights = weights(40 * MIB + 3);
        HubBackend backend = backend();
        assertArrayEquals(Arrays.copyOfRange(weights, 5 * MIB, weights.length), readWeights(backend, 5 * MIB));
        assertEquals(weights.length - 5 * MIB, hub.fileBytes.get());
        hub.fileBytes.set(0);
        ModelFile file = file(backend.find(MODEL).orElseThrow(), "model.safetensors");
        read(backend.open(MODEL, file, new ByteRange(5, 16 * MIB)), Integer.MAX_VALUE);
        assertEquals(16 * MIB - 5, hub.fileBytes.get(), "a reader of a range gets the range");
    }

    @Test
    void sendsTheTokenToTheHubAndToNoOtherHost() throws IOException {
        weights(1000);
        readWeights(backend(Optional.of("secret")), 0);
        assertTrue(hub.requests.stream().anyMatch(r -> r.path().startsWith("/cdn/")));
        for (HubStandIn.Request request : hub.requests) {
            Optional<String> wanted =
                    request.path().startsWith("/cdn/") ? Optional.empty() : Optional.of("Bearer secret");
            assertEquals(wanted, request.header("authorization"), request.path());
        }
    }

    @Test
    void triesAgainAfter429And5xxAndGivesUpInTheEnd() throws IOException {
        byte[] weights = weights(1000);
        AtomicInteger count = new AtomicInteger();
        hub.mischief = request -> switch (count.getAndIncrement() % 3) {
            case 0 -> Optional.of(Reply.of(429, new byte[0], "Retry-After", "0"));
            case 1 -> Optional.of(Reply.of(503, new byte[0]));
            default -> Optional.empty();
        };
        HubBackend backend = backend();
        ModelManifest manifest = backend.find(MODEL).orElseThrow();
        assertEquals("{}", new String(read(open(backend, file(manifest, "config.json"), 0), 99)));
        assertEquals(1000, weights.length);
        hub.mischief = request -> Optional.of(Reply.of(500, new byte[0]));
        assertTrue(assertThrows(IOException.class, () -> backend.find(MODEL))
                .getMessage()
                .contains("answered 500"));
        count.set(0);
        hub.mischief = request -> {
            count.incrementAndGet();
            return Optional.of(Reply.of(429, new byte[0], "Retry-After", "3600"));
        };
        assertTrue(assertThrows(IOException.class, () -> backend.find(MODEL))
                .getMessage()
                .contains("retry after 3600 s"));
        assertEquals(1, count.get(), "an hour is not sat out");
    }

    @Test
    void understandsRetryAfterAsDate() {
        assertEquals(Optional.of(Duration.ZERO), HubClient.retryAfter("Wed, 21 Oct 2015 07:28:00 GMT"));
        assertEquals(Optional.of(Duration.ofSeconds(7)), HubClient.retryAfter(" 7 "));
        assertEquals(Optional.empty(), HubClient.retryAfter("soon"));
    }

    @Test
    void failsOnTruncatedBodiesAndStallsInsteadOfWaiting() throws IOException {
        weights(500_000);
        stall = Duration.ofMillis(400);
        HubBackend backend = backend();
        hub.mischief = request -> request.path().startsWith("/cdn/")
                ? Optional.of(hub.protocol(request).get().truncatedTo(1000))
                : Optional.empty();
        assertThrows(IOException.class, () -> readWeights(backend, 0));
        hub.mischief = request -> request.path().startsWith("/cdn/")
                ? Optional.of(hub.protocol(request).get().hangingAfter(1000))
                : Optional.empty();
        IOException stall = assertThrows(IOException.class, () -> readWeights(backend, 0));
        assertTrue(stall.getMessage().contains("no byte for 0.4 s"), stall.getMessage());
    }

    @Test
    void noticesContentThatChangesUnderWay() throws IOException {
        weights(1000);
        HubBackend backend = backend();
        ModelFile listed = file(backend.find(MODEL).orElseThrow(), "model.safetensors");
        for (Reply wrong : List.of(
                Reply.of(416, new byte[0]),
                Reply.of(206, new byte[900], "Content-Range", "bytes 100-999/2000"),
                Reply.of(200, new byte[2000]),
                Reply.of(
                        206,
                        new byte[900],
                        "Content-Range",
                        "bytes 100-999/1000",
                        "ETag",
                        '"' + "ab".repeat(32) + '"'))) {
            hub.mischief = request -> Optional.of(wrong);
            IOException e = assertThrows(IOException.class, () -> read(open(backend, listed, 100), 900));
            assertTrue(e.getMessage().contains("model.safetensors changed on the hub"), e.getMessage());
        }
        hub.mischief = request -> Optional.of(Reply.of(206, new byte[900], "Content-Range", "bytes 50-949/1000"));
        IOException shifted = assertThrows(IOException.class, () -> read(open(backend, listed, 100), 900));
        assertTrue(shifted.getMessage().contains("from byte 50, not from 100"), shifted.getMessage());
        hub.mischief = request -> Optional.empty();
        weights(2000);
        hub.commit = "2222222222222222222222222222222222222222";
        backend.find(MODEL);
        IOException e = assertThrows(IOException.class, () -> open(backend, listed, 0));
        assertTrue(e.getMessage().contains("changed on the hub since it was listed"), e.getMessage());
    }

    @Test
    void worksWithSourcesThatIgnoreRanges() throws IOException {
        byte[] weights = weights(100_000);
        hub.mischief =
                request -> request.path().startsWith("/cdn/") ? Optional.of(Reply.of(200, weights)) : Optional.empty();
        assertArrayEquals(Arrays.copyOfRange(weights, 777, weights.length), readWeights(backend(), 777));
    }

    @Test
    void checksSmallFilesAgainstTheirGitId() throws IOException {
        weights(10);
        HubBackend backend = backend();
        ModelFile config = file(backend.find(MODEL).orElseThrow(), "config.json");
        hub.mischief = request -> Optional.of(Reply.of(200, "[]".getBytes()));
        assertTrue(assertThrows(IOException.class, () -> open(backend, config, 0))
                .getMessage()
                .contains("Git id"));
        hub.mischief = request -> Optional.of(Reply.of(200, "{ }".getBytes()));
        assertTrue(assertThrows(IOException.class, () -> open(backend, config, 0))
                .getMessage()
                .contains("more bytes"));
    }

    @Test
    void tellsAbsentFromGatedFromUnfit() throws IOException {
        HubBackend backend = backend();
        assertEquals(Optional.empty(), backend.find(new ModelId("org/none")));
        hub.mischief = request -> Optional.of(Reply.of(401, new byte[0], "X-Error-Code", "RepoNotFound"));
        assertEquals(Optional.empty(), backend.find(MODEL));
        hub.mischief = request -> Optional.of(Reply.of(403, new byte[0], "X-Error-Code", "GatedRepo"));
        assertTrue(assertThrows(IOException.class, () -> backend.find(MODEL))
                .getMessage()
                .contains("is gated"));
        hub.mischief = request -> Optional.of(Reply.of(401, new byte[0]));
        assertTrue(assertThrows(IOException.class, () -> backend.find(MODEL))
                .getMessage()
                .contains("HF_TOKEN"));
        hub.mischief = request -> Optional.empty();
        hub.with("org/torch", "pytorch_model.bin", new byte[1], true);
        assertTrue(assertThrows(IOException.class, () -> backend.find(new ModelId("org/torch")))
                .getMessage()
                .contains("no *.safetensors"));
        hub.mischief = request -> Optional.of(Reply.of(200, "<html>".getBytes()));
        assertTrue(assertThrows(IOException.class, () -> backend.find(MODEL))
                .getMessage()
                .contains("not JSON"));
    }

    @Test
    void whatTheHubRefusesIsNotTriedAgain() throws IOException {
        weights(1000);
        HubBackend backend = backend();
        ModelFile file = file(backend.find(MODEL).orElseThrow(), "model.safetensors");
        for (int status : new int[] {401, 403, 404}) {
            hub.mischief = request -> Optional.of(Reply.of(status, new byte[0]));
            assertThrows(
                    SkulkException.class,
                    () -> backend.open(MODEL, file, new ByteRange(0, file.size()))
                            .read(ByteBuffer.allocate(1)));
        }
        hub.mischief = request -> Optional.of(Reply.of(503, new byte[0]));
        assertThrows(
                IOException.class,
                () -> backend.open(MODEL, file, new ByteRange(0, file.size())).read(ByteBuffer.allocate(1)));
    }

    @Test
    void neverAsksWhenOffline() throws IOException {
        HubSettings offline = settings(Optional.empty(), true);
        HubClient made = new HubClient(offline);
        client = Optional.of(made);
        assertTrue(assertThrows(IOException.class, () -> new HubBackend(offline, made).find(MODEL))
                .getMessage()
                .contains("offline"));
        FakeExchange search = new FakeExchange().run(new HubSearch(offline, made), "GET", "/models/search");
        assertEquals(503, search.status());
        assertTrue(hub.requests.isEmpty());
    }

    @Test
    void searches() {
        HubSettings settings = settings(Optional.empty(), false);
        HubClient made = new HubClient(settings);
        client = Optional.of(made);
        hub.mischief = request -> Optional.of(Reply.of(
                200,
                "[{\"id\":\"org/a\",\"downloads\":5,\"likes\":1,\"lastModified\":\"2026-01-01\",\"tags\":[\"mlx\"]},{\"x\":1}]"
                        .getBytes()));
        FakeExchange exchange = new FakeExchange()
                .queryParameter("query", "tiny model")
                .queryParameter("limit", "3")
                .queryParameter("mlx_only", "true")
                .run(new HubSearch(settings, made), "GET", "/models/search");
        assertEquals(
                "[{\"id\":\"org/a\",\"author\":\"org\",\"downloads\":5,\"likes\":1,\"last_modified\":\"2026-01-01\",\"tags\":[\"mlx\"]}]",
                exchange.text());
        String asked = hub.requests.getFirst().path();
        assertTrue(
                asked.contains("search=tiny+model") && asked.contains("limit=3") && asked.contains("filter=mlx"),
                asked);
        for (String wrong : List.of("0", "1000", "x")) {
            FakeExchange bad = new FakeExchange()
                    .queryParameter("limit", wrong)
                    .run(new HubSearch(settings, made), "GET", "/models/search");
            assertEquals(422, bad.status());
        }
    }

    @Test
    void startsAndStopsAndRefusesBadSettings() {
        for (int i = 0; i < 3; i++) {
            HubPlugin plugin = new HubPlugin(Map.of("HF_ENDPOINT", hub.endpoint() + "/"));
            assertEquals(2, plugin.start(FakeContext.create()).size());
            plugin.stop();
        }
        for (String wrong : List.of(
                "{\"endpoint\": \"ftp://x\"}",
                "{\"endpoint\": \"not a url\"}",
                "{\"stall_seconds\": 0}",
                "{\"revisions\": {\"a\": 1}}")) {
            assertThrows(
                    SkulkException.class,
                    () -> new HubPlugin(Map.of()).start(FakeContext.create((JsonObject) Json.parse(wrong))),
                    wrong);
        }
        assertFalse(HubSettings.of(FakeContext.create().settings(), Map.of()).offline());
        assertEquals(
                Optional.of("from-env"),
                HubSettings.of(FakeContext.create().settings(), Map.of("HF_TOKEN", "from-env"))
                        .token());
        assertTrue(HubSettings.of(FakeContext.create().settings(), Map.of("SKULK_OFFLINE", "1"))
                .offline());
    }
}
