package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import skulk.api.RankContext.Partial;
import skulk.api.cluster.Download;
import skulk.api.cluster.Shard;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.problem.SkulkException;

/** Ranks of split placements stage their own share of the files. */
class ShardStagingTest extends StorageFixture {
    private static final int SIZE = 40 * MIB + 17;
    private static final String WEIGHTS = "model.safetensors";

    private final byte[] weights = random(SIZE, 1);
    private final AtomicInteger planned = new AtomicInteger();

    @BeforeEach
    void share() {
        hub.with(MODEL, WEIGHTS, weights)
                .with(MODEL, "other.safetensors", random(3 * MIB, 2))
                .with(MODEL, "config.json", "{}".getBytes());
        shares = (shard, files) -> {
            planned.incrementAndGet();
            Path header = files.require(WEIGHTS, 0, 100);
            assertEquals(weights[99], byteAt(header, 99));
            assertEquals("{}", Files.readString(files.require("config.json", 0, Long.MAX_VALUE)));
            long half = SIZE / 2;
            ByteRange mine = shard.deviceRank() == 0 ? new ByteRange(100, half) : new ByteRange(half, SIZE);
            return List.of(
                    new FilePart(WEIGHTS, List.of(new ByteRange(0, 100), mine)),
                    new FilePart("other.safetensors", List.of()));
        };
    }

    private static byte byteAt(Path file, long at) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            return one.get(0);
        }
    }

    private static Shard half(int rank) {
        return Shard.PipelineShardMetadata.of(Cards.card("org/model"), rank, 2, 2 * rank, 2 * rank + 2);
    }

    private static Staged stage(StorageService service, Shard shard) throws Exception {
        return service.ensure(shard).get(30, TimeUnit.SECONDS);
    }

    private void assertHas(Staged staged, int from, int to) throws IOException {
        Partial partial = staged.partial().get(WEIGHTS);
        assertTrue(partial.present().covers(from, to));
        assertEquals(SIZE, Files.size(partial.location()), "a hole where nothing is");
        byte[] bytes = Files.readAllBytes(partial.location());
        assertArrayEquals(
                java.util.Arrays.copyOfRange(weights, from, to), java.util.Arrays.copyOfRange(bytes, from, to));
    }

    @Test
    void fetchesAShareAndReportsRealBytes() throws Exception {
        StorageService service = service();
        Staged staged = stage(service, half(1));
        assertHas(staged, SIZE / 2, SIZE);
        assertHas(staged, 0, 100);
        assertFalse(staged.partial().get(WEIGHTS).present().covers(2 * MIB, 3 * MIB));
        long share = 2 + MIB + (SIZE - 20L * MIB); // the block of the header, and the blocks of the second half
        assertEquals(share, hub.bytes.get());
        assertFalse(Files.exists(staged.folder().resolve(WEIGHTS)), "a part has no final name");
        assertFalse(
                Files.exists(staged.folder().resolve("other.safetensors.partial")), "not a byte of what is not needed");
        Download.DownloadCompleted done = assertInstanceOf(Download.DownloadCompleted.class, told.getLast());
        assertEquals(share, done.total().inBytes());
        long reported = service.report(0).stagedTotalBytes();
        assertTrue(reported >= share && reported < share + 10_000, reported + " bytes reported of " + share);
        assertTrue(service.ready(half(1)).isPresent());
        assertTrue(service.ready(half(0)).isEmpty());
        assertTrue(service.ready(Cards.shard(Cards.card("org/model"))).isEmpty(), "a part is not the whole");

        StorageService restarted = service();
        assertHas(stage(restarted, half(1)), SIZE / 2, SIZE);
        assertEquals(share, hub.bytes.get(), "what is there is not fetched again");
        assertEquals(1, planned.get(), "nor are the headers read again");
    }

    @Test
    void completesAShareWithoutFetchingItAgain() throws Exception {
        StorageService service = service();
        stage(service, half(1));
        Staged other = stage(service, half(0));
        assertTrue(other.partial().isEmpty(), "both halves are the whole file");
        assertArrayEquals(weights, Files.readAllBytes(other.folder().resolve(WEIGHTS)));
        assertEquals(SIZE + 2, hub.bytes.get());
        assertTrue(service.ready(half(1)).isPresent());
        Staged whole = get(service, Cards.card("org/model"));
        assertEquals(SIZE + 2 + 3 * MIB, hub.bytes.get(), "the file that no shard needed is what was missing");
        assertTrue(Files.exists(whole.folder().resolve("other.safetensors")));
        assertEquals(whole.folder(), stage(service, half(0)).folder());
    }

    @Test
    void stagesTwoShardsOneAfterTheOther() throws Exception {
        StorageService service = service();
        var first = service.ensure(half(0));
        var second = service.ensure(half(1));
        var again = service.ensure(half(0));
        first.get(30, TimeUnit.SECONDS);
        second.get(30, TimeUnit.SECONDS);
        again.get(30, TimeUnit.SECONDS);
        assertEquals(SIZE + 2, hub.bytes.get());
    }

    @Test
    void checksBlocksWhereTheSourceKnowsTheirDigestsAndFetchesAWrongOneAlone() throws Exception {
        hub.blockDigests = true;
        AtomicInteger damages = new AtomicInteger(1);
        hub.mischief = (file, offset, content) -> {
            if (offset == 32L * MIB && damages.getAndDecrement() > 0) {
                byte[] wrong = content.clone();
                wrong[33 * MIB] ^= 1;
                return MemorySource.from(wrong, offset);
            }
            return MemorySource.from(content, offset);
        };
        Staged staged = stage(service(), half(1));
        assertHas(staged, SIZE / 2, SIZE);
        assertEquals(2 + MIB + (SIZE - 20L * MIB) + MIB, hub.bytes.get(), "one block twice");
        assertTrue(Files.readString(staged.folder().resolve(ShardNotes.FILE)).contains("\"verified\": true"));
    }

    @Test
    void refusesBlocksThatDoNotHaveTheirDigests() throws Exception {
        hub.blockDigests = true;
        hub.mischief = (file, offset, content) -> {
            byte[] wrong = content.clone();
            if (content.length == SIZE) {
                wrong[33 * MIB] ^= 1;
            }
            return MemorySource.from(wrong, offset);
        };
        StorageService service = service();
        try {
            stage(service, half(1));
            throw new AssertionError("accepted");
        } catch (ExecutionException e) {
            String message =
                    assertInstanceOf(SkulkException.class, e.getCause()).getMessage();
            assertTrue(message.contains("SHA-256 of bytes 34603008 to 35651584"), message);
        }
        assertTrue(service.ready(half(1)).isEmpty());
    }

    @Test
    void takesFromASourceWhatItHasAndTheRestFromTheNext() throws Exception {
        MemorySource peer = new MemorySource("peers").with(MODEL, WEIGHTS, weights);
        peer.with(MODEL, "other.safetensors", random(3 * MIB, 2)).with(MODEL, "config.json", "{}".getBytes());
        peer.offered = file ->
                new FilePart(file.path(), List.of(new ByteRange(0, MIB), new ByteRange(24L * MIB - 5, file.size())));
        backends.addFirst(peer);
        Staged staged = stage(service(), half(1));
        assertHas(staged, SIZE / 2, SIZE);
        assertEquals(4L * MIB, hub.bytes.get(), "the blocks from 20 to 24 MiB");
    }

    @Test
    void aStoreHostKeepsWholeModels() throws Exception {
        StorageSettings s = settings(0);
        StorageSettings host = new StorageSettings(
                s.node(),
                s.nodeName(),
                s.staging(),
                true,
                Optional.of(disk.resolve("store")),
                false,
                true,
                0,
                true,
                s.limits());
        Staged staged = stage(service(host, DiskSpace.real()), half(1));
        assertTrue(staged.partial().isEmpty());
        assertEquals(SIZE, Files.size(staged.folder().resolve(WEIGHTS)));
        assertEquals(0, planned.get());
    }

    @Test
    void countsOnlyTheShareAgainstTheDisk() throws Exception {
        long share = 2 + MIB + (SIZE - 20L * MIB);
        stage(service(settings(0), path -> share), half(1));
        try {
            stage(service(settings(0), path -> 1000), half(0));
            throw new AssertionError("accepted");
        } catch (ExecutionException e) {
            assertTrue(
                    e.getCause().getMessage().contains("has too little disk"),
                    e.getCause().getMessage());
        }
    }
}
