package skulk.kernel.storage;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Download;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class StorageServiceTest extends StorageFixture {
    @Test
    void stagesAModelVerifiedAndTellsSo() throws Exception {
        byte[] weights = random(40 * MIB + 17, 1);
        hub.with(MODEL, "model.safetensors", weights)
                .with(MODEL, "config.json", "{}".getBytes())
                .with(MODEL, "sub/empty.txt", new byte[0]);
        StorageService service = service();
        Staged staged = get(service, Cards.card("org/model"));
        assertEquals(disk.resolve("staging/org--model"), staged.folder());
        assertFalse(staged.inPlace());
        assertArrayEquals(weights, Files.readAllBytes(staged.folder().resolve("model.safetensors")));
        assertEquals(
                List.of(".last_used", ".skulk.json", "config.json", "model.safetensors", "sub"), files("org--model"));
        assertEquals(weights.length + 2, hub.bytes.get(), "nothing is read twice");
        assertInstanceOf(Download.DownloadPending.class, told.getFirst());
        Download.DownloadCompleted last = assertInstanceOf(Download.DownloadCompleted.class, told.getLast());
        assertFalse(last.readOnly());
        get(service, Cards.card("org/model"));
        assertEquals(weights.length + 2, hub.bytes.get(), "what is there is not fetched again");
    }

    @Test
    void loadsInPlaceWhatASourceHasOnThisMachine() throws Exception {
        hub.with(MODEL, "config.json", "{}".getBytes());
        hub.local = Optional.of(disk.resolve("elsewhere"));
        Staged staged = get(service(), Cards.card("org/model"));
        assertEquals(disk.resolve("elsewhere"), staged.folder());
        assertTrue(staged.inPlace());
        assertEquals(0, hub.opens.get());
        assertTrue(assertInstanceOf(Download.DownloadCompleted.class, told.getLast())
                .readOnly());
    }

    @Test
    void resumesWhereAKilledTransferStopped() throws Exception {
        byte[] weights = random(48 * MIB, 2);
        hub.with(MODEL, "model.safetensors", weights);
        AtomicInteger budget = new AtomicInteger(20 * MIB);
        hub.mischief = (file, offset, content) -> limited(MemorySource.from(content, offset), budget);
        StorageService first = service();
        assertTrue(failure(first, Cards.card("org/model")).getMessage().contains("model.safetensors: cut"));
        assertFalse(Files.exists(disk.resolve("staging/org--model/model.safetensors")), "nothing half-made is visible");
        assertTrue(Files.exists(disk.resolve("staging/org--model/model.safetensors.partial")));
        hub.mischief = (file, offset, content) -> MemorySource.from(content, offset);
        long before = hub.bytes.get();
        Staged staged = get(service(), Cards.card("org/model"));
        assertArrayEquals(weights, Files.readAllBytes(staged.folder().resolve("model.safetensors")));
        long again = hub.bytes.get() - before;
        assertTrue(again <= 28 * MIB + 4 * MIB, "at most 4 MiB are fetched twice, got " + again);
        assertTrue(again >= 28 * MIB);
    }

    private static ReadableByteChannel limited(ReadableByteChannel inner, AtomicInteger budget) {
        return new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer target) throws IOException {
                if (budget.addAndGet(-target.remaining()) < 0) {
                    throw new IOException("cut");
                }
                return inner.read(target);
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
    }

    @Test
    void survivesBreaksAndShortBodiesAsLongAsThereIsProgress() throws Exception {
        byte[] weights = random(20 * MIB, 3);
        hub.with(MODEL, "model.safetensors", weights);
        hub.mischief = (file, offset, content) -> {
            int end = (int) Math.min(content.length, offset + 3 * MIB / 2);
            return MemorySource.from(java.util.Arrays.copyOf(content, end), offset);
        };
        Staged staged = get(service(), Cards.card("org/model"));
        assertArrayEquals(weights, Files.readAllBytes(staged.folder().resolve("model.safetensors")));
    }

    @Test
    void fetchesADamagedPartAgainAndNothingElse() throws Exception {
        byte[] weights = random(64 * MIB, 4);
        hub.with(MODEL, "model.safetensors", weights);
        AtomicInteger damages = new AtomicInteger(1);
        hub.mischief = (file, offset, content) -> {
            if (offset == 0 && damages.getAndDecrement() > 0) {
                byte[] wrong = content.clone();
                wrong[5 * MIB] ^= 1;
                return MemorySource.from(wrong, offset);
            }
            return MemorySource.from(content, offset);
        };
        Staged staged = get(service(), Cards.card("org/model"));
        assertArrayEquals(weights, Files.readAllBytes(staged.folder().resolve("model.safetensors")));
        assertEquals(weights.length + PartialFile.WINDOW, hub.bytes.get(), "one window twice");
    }

    @Test
    void refusesContentThatDoesNotHaveItsDigest() throws Exception {
        hub.with(MODEL, "model.safetensors", random(MIB, 5));
        hub.mischief = (file, offset, content) -> {
            byte[] wrong = content.clone();
            wrong[0] ^= 1;
            return MemorySource.from(wrong, offset);
        };
        SkulkException e = failure(service(), Cards.card("org/model"));
        assertTrue(e.getMessage().contains("model.safetensors: SHA-256 is"), e.getMessage());
        assertEquals(List.of(".skulk.json"), files("org--model"));
        assertInstanceOf(Download.DownloadFailed.class, told.getLast());
    }

    @Test
    void goesOnWithTheNextSourceFromWhereTheFirstOneFailed() throws Exception {
        byte[] weights = random(24 * MIB, 6);
        MemorySource store = new MemorySource("store").with(MODEL, "model.safetensors", weights);
        AtomicInteger budget = new AtomicInteger(8 * MIB);
        store.mischief = (file, offset, content) -> limited(MemorySource.from(content, offset), budget);
        backends.addFirst(store);
        hub.with(MODEL, "model.safetensors", weights);
        Staged staged = get(service(), Cards.card("org/model"));
        assertArrayEquals(weights, Files.readAllBytes(staged.folder().resolve("model.safetensors")));
        assertTrue(hub.bytes.get() <= 20 * MIB, "the store's part is kept, the hub gave " + hub.bytes.get());
    }

    @Test
    void letsASharedStoreFetchFirstSoThatTheHubIsReadOnce() throws Exception {
        byte[] weights = random(MIB, 7);
        hub.with(MODEL, "model.safetensors", weights);
        MemorySource store = new MemorySource("store");
        store.onFetch = () -> store.with(MODEL, "model.safetensors", weights);
        backends.addFirst(store);
        get(service(), Cards.card("org/model"));
        assertEquals(0, hub.opens.get());
        assertEquals(MIB, store.bytes.get());
    }

    @Test
    void waitsForAStoreThatGoesAwayWhileItIsAskedToFetch() throws Exception {
        byte[] weights = random(MIB, 7);
        hub.with(MODEL, "model.safetensors", weights);
        MemorySource store = new MemorySource("store");
        AtomicInteger asked = new AtomicInteger();
        store.onFetch = () -> {
            if (asked.incrementAndGet() < 3) {
                throw new SocketException("Connection reset");
            }
            store.with(MODEL, "model.safetensors", weights);
        };
        backends.addFirst(store);
        get(service(), Cards.card("org/model"));
        assertEquals(3, asked.get());
        assertEquals(0, hub.opens.get());
    }

    @Test
    void goesPastAStoreThatStaysAway() throws Exception {
        hub.with(MODEL, "model.safetensors", random(MIB, 7));
        MemorySource store = new MemorySource("store");
        store.onFetch = () -> {
            throw new SocketException("Connection reset");
        };
        backends.addFirst(store);
        get(service(), Cards.card("org/model"));
        assertEquals(MIB, hub.bytes.get());
    }

    @Test
    void asksNothingAfterTheStoreWhereFallbackIsOff() {
        hub.with(MODEL, "model.safetensors", new byte[10]);
        backends.addFirst(new MemorySource("store"));
        StorageSettings s = settings(0);
        StorageSettings only = new StorageSettings(
                s.node(), s.nodeName(), s.staging(), true, s.store(), true, true, 0, true, s.limits());
        SkulkException e = failure(service(only, DiskSpace.real()), Cards.card("org/model"));
        assertTrue(e.getMessage().contains("allow_hf_fallback"), e.getMessage());
        assertEquals(0, hub.finds.get());
    }

    @Test
    void refusesBeforeTheFirstByteWhatDoesNotFit() {
        hub.with(MODEL, "model.safetensors", new byte[3 * MIB]);
        SkulkException e = failure(service(settings(0), path -> 2 * MIB), Cards.card("org/model"));
        assertEquals(Problem.Kind.OUT_OF_RESOURCES, e.problem().kind());
        assertEquals(
                "node node-one has too little disk for model org/model: %s needs 3.1 MB more, 2.1 MB are free"
                        .formatted(disk.resolve("staging/org--model")),
                e.getMessage());
        assertEquals(0, hub.opens.get());
        assertFalse(Files.exists(disk.resolve("staging/org--model")));
    }

    @Test
    void removesWhatItFetchedWhenTheDiskFillsUpUnderWay() {
        hub.with(MODEL, "model.safetensors", new byte[3 * MIB]);
        hub.mischief = (file, offset, content) -> {
            throw new IOException("No space left on device");
        };
        SkulkException e = failure(service(), Cards.card("org/model"));
        assertEquals(Problem.Kind.OUT_OF_RESOURCES, e.problem().kind());
        assertTrue(e.getMessage().contains("node-one ran out of disk"), e.getMessage());
        assertFalse(Files.exists(disk.resolve("staging/org--model")));
    }

    @Test
    void saysWhenNoSourceHasAModelAndWhySourcesFailed() {
        SkulkException absent = failure(service(), Cards.card("org/none"));
        assertEquals(Problem.Kind.NOT_FOUND, absent.problem().kind());
        hub.with(MODEL, "../evil", new byte[1]);
        SkulkException evil = failure(service(), Cards.card("org/model"));
        assertTrue(evil.getMessage().contains("not a path inside a model"), evil.getMessage());
        hub.without(MODEL).with(MODEL, "x.partial", new byte[1]);
        SkulkException reserved = failure(service(), Cards.card("org/model"));
        assertTrue(reserved.getMessage().contains("cannot be staged: 'x.partial'"), reserved.getMessage());
    }

    @Test
    void neverMixesTwoRevisions() throws Exception {
        hub.digests = false;
        hub.with(MODEL, "a.json", "old".getBytes()).with(MODEL, "b.json", "old".getBytes());
        hub.mischief = (file, offset, content) -> {
            if (file.path().equals("b.json")) {
                // files are fetched side by side: the first is whole before the second fails
                await().until(() -> Files.exists(disk.resolve("staging/org--model/a.json")));
                throw new IOException("down");
            }
            return MemorySource.from(content, offset);
        };
        failure(service(), Cards.card("org/model"));
        assertTrue(Files.exists(disk.resolve("staging/org--model/a.json")));
        hub.revision = "r2";
        hub.with(MODEL, "a.json", "new".getBytes()).with(MODEL, "b.json", "new".getBytes());
        hub.mischief = (file, offset, content) -> MemorySource.from(content, offset);
        Path folder = get(service(), Cards.card("org/model")).folder();
        assertEquals("new", Files.readString(folder.resolve("a.json")));
        assertEquals("new", Files.readString(folder.resolve("b.json")));
        assertTrue(new ModelFolder(folder)
                .manifest().orElseThrow().files().stream()
                        .allMatch(f -> f.sha256().isPresent()));
    }

    @Test
    void startsOverWhenTheContentChangesUnderWay() throws Exception {
        hub.with(MODEL, "model.safetensors", random(MIB, 8));
        byte[] next = random(2 * MIB, 9);
        hub.mischief = (file, offset, content) -> {
            if (hub.revision.equals("r1")) {
                hub.revision = "r2";
                hub.with(MODEL, "model.safetensors", next);
            }
            if (file.size() != next.length) {
                throw new IOException("changed under way");
            }
            return MemorySource.from(next, offset);
        };
        Path folder = get(service(), Cards.card("org/model")).folder();
        assertArrayEquals(next, Files.readAllBytes(folder.resolve("model.safetensors")));
    }

    @Test
    void fetchesTheSameModelOnceForSeveralAskersAndStopsOnCancel() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        hub.with(MODEL, "model.safetensors", new byte[MIB]);
        hub.mischief = (file, offset, content) -> {
            begun.countDown();
            return hanging();
        };
        StorageService service = service();
        var one = service.ensure(Cards.shard(Cards.card("org/model")));
        var two = service.ensure(Cards.shard(Cards.card("org/model")));
        assertTrue(begun.await(10, TimeUnit.SECONDS));
        service.purge(Optional.empty());
        assertTrue(Files.exists(disk.resolve("staging/org--model")), "what is being staged is in use");
        assertTrue(service.cancel(MODEL));
        for (var future : List.of(one, two)) {
            ExecutionException e = assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.SECONDS));
            assertEquals(
                    Problem.Kind.CONFLICT,
                    ((SkulkException) e.getCause()).problem().kind());
        }
        assertEquals(1, hub.finds.get());
        assertInstanceOf(Download.DownloadPending.class, told.getLast());
        assertFalse(service.cancel(MODEL));
        service.purge(Optional.empty());
        assertFalse(Files.exists(disk.resolve("staging/org--model")));
    }

    private static ReadableByteChannel hanging() {
        return Channels.newChannel(new java.io.InputStream() {
            @Override
            public int read() throws IOException {
                try {
                    new CountDownLatch(1).await();
                    return -1;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new java.io.InterruptedIOException("interrupted");
                }
            }
        });
    }

    @Test
    void needsVisionWeightsAndDoesWithoutADrafter() throws Exception {
        hub.with(MODEL, "config.json", "{}".getBytes());
        Staged staged = get(service(), Cards.card("org/model", Optional.empty(), Optional.of("org/draft")));
        assertEquals(1, staged.warnings().size());
        assertTrue(staged.warnings().getFirst().contains("org/draft"));
        SkulkException e = failure(service(), Cards.card("org/model", Optional.of("org/eyes"), Optional.empty()));
        assertTrue(e.getMessage().contains("org/eyes"), e.getMessage());
        hub.with(new ModelId("org/draft"), "config.json", "{}".getBytes());
        Staged both = get(service(), Cards.card("org/model", Optional.empty(), Optional.of("org/draft")));
        assertEquals(disk.resolve("staging/org--draft"), both.companions().get("org/draft"));
    }
}
