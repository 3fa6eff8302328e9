package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.fake.FakeTls;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;

/** Nodes that hold copies hand them out to others. */
class PeerTest extends StorageFixture {
    private static final int SIZE = 20 * MIB + 17;
    private static final String WEIGHTS = "model.safetensors";

    private final byte[] weights = random(SIZE, 1);
    private final Map<NodeId, PeerServer> others = new LinkedHashMap<>();
    private final CompletableFuture<Optional<SSLContext>> tls = CompletableFuture.completedFuture(Optional.empty());
    private final PeerBackend peers = new PeerBackend(this::ask, tls);
    private boolean wrongKey;

    @AfterEach
    void stop() {
        others.values().forEach(PeerServer::close);
    }

    /** The cluster's channel. */
    private Map<NodeId, Json> ask(String topic, Json body) {
        Map<NodeId, Json> answers = new HashMap<>();
        others.forEach((node, server) -> {
            Json answer = topic.equals(PeerServer.OFFER) ? server.offer(body) : server.digests(body);
            if (wrongKey && answer instanceof JsonObject offer) {
                JsonObject.Builder changed = JsonObject.builder();
                offer.members().forEach(changed::put);
                answer = changed.put("key", new JsonString("AAAA")).build();
            }
            answers.put(node, Json.parse(answer.toString()));
        });
        return answers;
    }

    private StorageSettings at(String folder) {
        StorageSettings s = settings(1L << 30);
        return new StorageSettings(
                s.node(),
                s.nodeName(),
                disk.resolve(folder),
                true,
                Optional.empty(),
                false,
                true,
                s.keepBytes(),
                true,
                s.limits());
    }

    /** A node that has staged a shard of the model from the hub. */
    private void other(String name, Shard shard) throws Exception {
        service(at(name), DiskSpace.real()).ensure(shard).get(30, TimeUnit.SECONDS);
        others.put(new NodeId(name), new PeerServer(at(name), () -> List.of("127.0.0.1"), tls));
    }

    private void hub() {
        hub.with(MODEL, WEIGHTS, weights).with(MODEL, "config.json", "{}".getBytes());
        shares = (shard, files) -> List.of(new FilePart(
                WEIGHTS,
                List.of(shard.deviceRank() == 0 ? new ByteRange(0, 8L * MIB) : new ByteRange(8L * MIB, SIZE))));
    }

    private static Shard whole() {
        return Cards.shard(Cards.card("org/model"));
    }

    private static Shard half(int rank) {
        return Shard.PipelineShardMetadata.of(Cards.card("org/model"), rank, 2, 2 * rank, 2 * rank + 2);
    }

    private Path stageHere() throws Exception {
        backends.addFirst(peers);
        Staged staged = service(at("here"), DiskSpace.real()).ensure(whole()).get(30, TimeUnit.SECONDS);
        return staged.folder().resolve(WEIGHTS);
    }

    @Test
    void aWholeCopySparesTheHub() throws Exception {
        hub();
        other("one", whole());
        long before = hub.bytes.get();
        assertArrayEquals(weights, Files.readAllBytes(stageHere()));
        assertEquals(before, hub.bytes.get());
    }

    @Test
    void connectionsAreSecuredAsTheClusterIs() throws Exception {
        tls.obtrudeValue(Optional.of(FakeTls.context(disk)));
        aWholeCopySparesTheHub();
        PeerBackend stranger =
                new PeerBackend(this::ask, CompletableFuture.completedFuture(Optional.of(FakeTls.context(disk))));
        ModelFile file = stranger.find(MODEL).orElseThrow().files().getFirst();
        assertThrows(
                IOException.class,
                () -> stranger.open(MODEL, file, new ByteRange(0, 10)).read(ByteBuffer.allocate(10)));
    }

    @Test
    void offersNothingBeforeTheNodeHasJoined() throws Exception {
        hub();
        other("one", whole());
        PeerServer server = new PeerServer(at("one"), () -> List.of("127.0.0.1"), new CompletableFuture<>());
        assertEquals(Json.NULL, server.offer(JsonObject.of("model", "org/model")));
        server.close();
    }

    @Test
    void sharesOfTwoRanksAreTheWhole() throws Exception {
        hub();
        other("one", half(0));
        other("two", half(1));
        long before = hub.bytes.get();
        assertArrayEquals(weights, Files.readAllBytes(stageHere()));
        assertEquals(before, hub.bytes.get());
    }

    @Test
    void whatNobodyHasComesFromTheHub() throws Exception {
        hub();
        other("one", half(1));
        long before = hub.bytes.get();
        assertArrayEquals(weights, Files.readAllBytes(stageHere()));
        assertEquals(8L * MIB, hub.bytes.get() - before);
    }

    @Test
    void aTransferUnderWayIsNoOffer() throws Exception {
        hub();
        hub.mischief = (file, offset, content) -> {
            if (offset > 0) {
                throw new IOException("cut");
            }
            return MemorySource.from(content, offset);
        };
        assertThrows(Exception.class, () -> other("one", whole()));
        PeerServer server = new PeerServer(at("one"), () -> List.of("127.0.0.1"), tls);
        assertEquals(Json.NULL, server.offer(JsonObject.of("model", "org/model")));
        assertEquals(Json.NULL, server.offer(JsonObject.of("model", "org/other")));
        server.close();
    }

    @Test
    void tellsDigestsOfWhatIsWholeOnly() throws Exception {
        hub();
        other("one", half(0));
        ModelFile file = peers.find(MODEL).orElseThrow().files().stream()
                .filter(f -> f.path().equals(WEIGHTS))
                .findFirst()
                .orElseThrow();
        assertTrue(peers.digests(MODEL, file).isEmpty());
        other("two", whole());
        peers.find(MODEL);
        assertEquals(32 * 21, peers.digests(MODEL, file).orElseThrow().length);
    }

    @Test
    void servesMembersOnlyAndNothingElse() throws Exception {
        hub();
        other("one", half(0));
        ModelFile file = peers.find(MODEL).orElseThrow().files().stream()
                .filter(f -> f.path().equals(WEIGHTS))
                .findFirst()
                .orElseThrow();
        assertEquals(100, read(file, new ByteRange(0, 100)));
        IOException beyond = assertThrows(IOException.class, () -> read(file, new ByteRange(9L * MIB, 9L * MIB + 1)));
        assertTrue(beyond.getMessage().contains("no node has byte"), beyond.getMessage());
        wrongKey = true;
        peers.find(MODEL);
        assertThrows(IOException.class, () -> read(file, new ByteRange(0, 100)));
        wrongKey = false;
        peers.find(MODEL);
        assertEquals(100, read(file, new ByteRange(100, 200)));
    }

    private int read(ModelFile file, ByteRange range) throws IOException {
        List<Byte> bytes = new ArrayList<>();
        try (var channel = peers.open(MODEL, file, range)) {
            ByteBuffer buffer = ByteBuffer.allocate(64);
            while (channel.read(buffer.clear()) >= 0) {
                for (buffer.flip(); buffer.hasRemaining(); ) {
                    bytes.add(buffer.get());
                }
            }
        }
        for (int i = 0; i < bytes.size(); i++) {
            assertEquals(weights[(int) range.start() + i], bytes.get(i));
        }
        return bytes.size();
    }

    @Test
    void aNodeThatDiesUnderWayIsReplacedByAnother() throws Exception {
        hub();
        other("one", whole());
        other("two", whole());
        peers.find(MODEL);
        long before = hub.bytes.get();
        others.values().iterator().next().close();
        assertArrayEquals(weights, Files.readAllBytes(stageHere()));
        assertEquals(before, hub.bytes.get());
    }
}
