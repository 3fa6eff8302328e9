package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

/**
 * A model split over two nodes: it crosses the internet once, each rank stages its share, and whoever is killed goes on. {@code
 * -Dskulk.storage.megabytes=500} makes the model as large.
 */
class SplitStagingIT extends StorageNodes {
    private static final int BLOCK = 1 << 20;
    private static final int KEY = 32;

    @Override
    Path model(Path folder) throws IOException {
        return ToyModel.ofMegabytes(folder, Integer.getInteger("skulk.storage.megabytes", 50));
    }

    @Test
    void eachRankStagesItsShareOfWhatTheStoreFetchedOnce() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess east = client("east", 2);
        SkulkProcess west = client("west", 3);
        place(east, 2, "Pipeline", host);
        awaitReady(east, west);
        assertAnswers(west);
        assertTrue(hub.sent.get() <= hub.modelBytes() * 101 / 100, hub.sent + " bytes of " + hub.modelBytes());
        long both = share("east", east) + share("west", west);
        long most = hub.modelBytes() * 105 / 100 + 8 * BLOCK; // blocks at the seams, and the small files, are on both
        assertTrue(both <= most, "both ranks staged %d bytes of %d".formatted(both, hub.modelBytes()));
        assertSame(temp.resolve("tank").resolve(FOLDER));
        measured("model %d, hub sent %d, east %d, west %d"
                .formatted(hub.modelBytes(), hub.sent.get(), share("east", east), share("west", west)));

        deleteInstances(east, west);
        Path sparse = temp.resolve("west/staging").resolve(FOLDER);
        place(west, 1, "Pipeline", host, east);
        awaitReady(west);
        assertAnswers(west);
        assertSame(sparse); // completed, every digest right
        assertTrue(hub.sent.get() <= hub.modelBytes() * 101 / 100, "the hub was asked again");
    }

    /** What a node reports to have staged, after every byte of it was compared with the original. */
    private long share(String name, SkulkProcess node) throws Exception {
        Path folder = temp.resolve(name).resolve("staging").resolve(FOLDER);
        long real = 0;
        boolean part = false;
        for (Path original : hub.files()) {
            Path whole = folder.resolve(original.getFileName());
            Path partial = folder.resolve(original.getFileName() + ".partial");
            if (Files.exists(whole)) {
                assertEquals(HubStandIn.sha256(original), HubStandIn.sha256(whole));
                real += Files.size(whole);
            } else if (Files.exists(partial)) {
                part = true;
                real += compare(original, partial, blocks(partial));
            }
        }
        if (part) { // a node that stood in for a killed one alone has the whole
            String notes = Files.readString(folder.resolve(".skulk.shards.json"));
            assertTrue(notes.contains("\"verified\": true"), "the store knows the digests");
        }
        long reported = staged(node).getFirst().integer("sizeBytes").orElseThrow();
        assertTrue(Math.abs(reported - real) < 100_000, "reported %d, there are %d".formatted(reported, real));
        return reported;
    }

    private static BitSet blocks(Path partial) throws IOException {
        ByteBuffer journal = ByteBuffer.wrap(Files.readAllBytes(Path.of(partial + ".blocks")));
        BitSet blocks = new BitSet();
        for (journal.position(KEY); journal.remaining() >= 4; ) {
            blocks.set(journal.getInt());
        }
        return blocks;
    }

    private static long compare(Path original, Path partial, BitSet blocks) throws IOException {
        long bytes = 0;
        try (RandomAccessFile one = new RandomAccessFile(original.toFile(), "r");
                RandomAccessFile other = new RandomAccessFile(partial.toFile(), "r")) {
            assertEquals(one.length(), other.length());
            for (int block = blocks.nextSetBit(0); block >= 0; block = blocks.nextSetBit(block + 1)) {
                long at = (long) block * BLOCK;
                byte[] wanted = new byte[(int) Math.min(BLOCK, one.length() - at)];
                byte[] found = new byte[wanted.length];
                one.seek(at);
                one.readFully(wanted);
                other.seek(at);
                other.readFully(found);
                assertArrayEquals(wanted, found, partial + " at " + at);
                bytes += wanted.length;
            }
        }
        return bytes;
    }

    @Test
    void whoeverIsKilledGoesOn() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess east = client("east", 2);
        SkulkProcess west = client("west", 3);
        hub.pauseMillis = Math.max(1, (int) (500_000_000 / hub.modelBytes()));
        place(east, 2, "Tensor", host);

        awaitSent(1, 3);
        host.kill();
        host = hostAgain(3);
        awaitSent(2, 5); // a rank's share is nearly half of the model, and the store fetches first what is asked for
        Path staging = temp.resolve("west/staging").resolve(FOLDER);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> Files.isDirectory(staging));

        west.kill();
        assertFalse(Files.exists(staging.resolve(".skulk.shards.json")), "killed too late to show anything");
        nodes.remove(west);
        await().atMost(PATIENCE).until(() -> members(east) == 2);
        release();
        west = client("west", 3);
        deleteInstances(east);
        place(east, 2, "Tensor", host);
        awaitReady(east);
        assertAnswers(east);
        share("east", east);
        share("west", west);
        assertTrue(
                hub.sent.get() <= hub.modelBytes() * 101 / 100 + LOSS,
                () -> "%d bytes sent, with %s"
                        .formatted(
                                hub.sent.get(),
                                nodes.stream().map(SkulkProcess::log).toList()));
        measured("model %d, hub sent %d with kills".formatted(hub.modelBytes(), hub.sent.get()));
    }
}
