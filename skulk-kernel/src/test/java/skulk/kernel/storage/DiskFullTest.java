package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Download;
import skulk.api.cluster.Shard;
import skulk.api.fake.SmallDisk;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.ConfigurationFile;
import skulk.kernel.model.Catalog;

/** What happens on a file system that is really full, at each stage of a transfer. */
class DiskFullTest extends StorageFixture {
    private static final ModelId SMALL = new ModelId("org/small");
    /** Another program takes the room after it was checked. */
    private static final DiskSpace TAKEN_LATER = path -> 1L << 40;

    private SmallDisk small;

    @BeforeEach
    void mount() throws Exception {
        small = SmallDisk.mount(disk.resolve("staging"), 4);
        hub.with(MODEL, "config.json", "{}".getBytes()).with(MODEL, "model.safetensors", random(6 * MIB, 1));
        hub.with(SMALL, "config.json", "{}".getBytes()).with(SMALL, "model.safetensors", random(MIB, 2));
    }

    @AfterEach
    void unmount() throws Exception {
        close();
        if (small != null) {
            small.close();
        }
    }

    private void assertClear(SkulkException e, String need) throws IOException {
        assertEquals(Problem.Kind.OUT_OF_RESOURCES, e.problem().kind());
        assertEquals("disk_full", e.problem().code());
        for (String part : new String[] {"node-one", small.root() + "/org--model", "org/model", need, "free"}) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
        assertFalse(Files.exists(small.root().resolve("org--model")), "nothing half-made is visible");
        assertTrue(told.getLast() instanceof Download.DownloadFailed failed
                && failed.errorMessage().equals(e.getMessage()));
    }

    private void assertGoesOn(StorageService service) throws Exception {
        Path folder = get(service, Cards.card("org/small")).folder();
        assertEquals(MIB, Files.size(folder.resolve("model.safetensors")));
        try (Stream<Path> all = Files.walk(small.root())) {
            assertTrue(all.noneMatch(f -> f.toString().contains(".partial")));
        }
    }

    @Test
    void beforeTheFirstByte() throws Exception {
        StorageService service = service();
        assertClear(failure(service, Cards.card("org/model")), "needs 6.3 MB more, 4.2 MB are free");
        assertEquals(0, hub.opens.get());
        assertGoesOn(service);
    }

    @Test
    void aShareOfAModel() throws Exception {
        shares = (shard, files) -> {
            files.require("model.safetensors", 0, 8);
            return List.of(new FilePart("model.safetensors", List.of(new ByteRange(0, 5L * MIB))));
        };
        StorageService service = service(settings(1L << 30), DiskSpace.real());
        var shard = Shard.PipelineShardMetadata.of(Cards.card("org/model"), 0, 2, 0, 2);
        Exception e = assertThrows(
                ExecutionException.class, () -> service.ensure(shard).get(30, TimeUnit.SECONDS));
        for (String part : List.of("node-one", small.root() + "/org--model", "needs 4.2 MB more", "are free")) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
        assertTrue(service.ready(shard).isEmpty());
    }

    @Test
    void anotherShareLeavesTheFirstOneAlone() throws Exception {
        shares = (shard, files) -> List.of(new FilePart(
                "model.safetensors",
                List.of(shard.deviceRank() == 0 ? new ByteRange(0, 2L * MIB) : new ByteRange(2L * MIB, 6L * MIB))));
        StorageService service = service(settings(1L << 30), TAKEN_LATER);
        var first = Shard.PipelineShardMetadata.of(Cards.card("org/model"), 0, 2, 0, 2);
        var second = Shard.PipelineShardMetadata.of(Cards.card("org/model"), 1, 2, 2, 4);
        service.ensure(first).get(30, TimeUnit.SECONDS);
        Exception e = assertThrows(
                ExecutionException.class, () -> service.ensure(second).get(30, TimeUnit.SECONDS));
        for (String part : List.of(
                "node-one", small.root() + "/org--model", "needs 6.3 MB", "free", "what ranks have of it stays")) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
        assertTrue(service.ready(second).isEmpty());
        Staged staged = service.ready(first).orElseThrow();
        try (var bytes =
                Files.newByteChannel(staged.partial().get("model.safetensors").location())) {
            ByteBuffer share = ByteBuffer.allocate(2 * MIB);
            while (share.hasRemaining() && bytes.read(share) >= 0) {}
            assertArrayEquals(Arrays.copyOf(random(6 * MIB, 1), 2 * MIB), share.array());
        }
    }

    @Test
    void aBundle() throws Exception {
        Path from = Files.createDirectories(disk.resolve("from"));
        Files.write(from.resolve("model.safetensors"), random(3 * MIB, 3));
        Files.writeString(from.resolve("config.json"), "{}");
        ByteArrayOutputStream bundle = new ByteArrayOutputStream();
        Bundle.write(from, Bundle.describe(from, MODEL), "model_id = \"org/model\"\n", bundle, n -> {});
        // the room goes while it is unpacked
        IOException e = assertThrows(
                IOException.class,
                () -> Bundle.unpack(
                        Bundle.open(new ByteArrayInputStream(bundle.toByteArray())), small.root(), n -> fillOnce()));
        assertTrue(e.getMessage().startsWith("no room at " + small.root() + ": 31457"), e.getMessage());
        try (Stream<Path> all = Files.list(small.root())) {
            assertEquals(
                    List.of("filler"), all.map(f -> f.getFileName().toString()).toList());
        }
        Files.delete(small.root().resolve("filler"));
        Bundle.unpack(Bundle.open(new ByteArrayInputStream(bundle.toByteArray())), small.root(), n -> {});
    }

    private void fillOnce() {
        try {
            if (!Files.exists(small.root().resolve("filler"))) {
                small.fill(MIB / 2);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aCard() throws Exception {
        Path filler = small.fill(0);
        Catalog catalog = new Catalog(small.root().resolve("cards"), List::of);
        catalog.keep(Cards.card("org/model"));
        assertTrue(catalog.find(MODEL).isPresent(), "it serves on");
        Files.delete(filler);
        catalog.keep(Cards.card("org/small"));
        try (Stream<Path> all = Files.list(small.root().resolve("cards"))) {
            assertEquals(
                    List.of("org--small.toml"),
                    all.map(f -> f.getFileName().toString()).toList());
        }
    }

    @Test
    void theConfiguration() throws Exception {
        Path file = small.root().resolve("skulk.yaml");
        Files.writeString(file, "node:\n  name: attic\n");
        Path filler = small.fill(0);
        JsonObject next = (JsonObject) Json.parse("{\"node\":{\"name\":\"%s\"}}".formatted("x".repeat(9000)));
        IOException e = assertThrows(
                IOException.class, () -> ConfigurationFile.read(file).write(next));
        assertTrue(
                e.getMessage().matches("no room at .*/skulk.yaml: 90\\d\\d bytes are needed, \\d+ are free"),
                e.getMessage());
        assertEquals("node:\n  name: attic\n", Files.readString(file));
        Files.delete(filler);
        ConfigurationFile.read(file).write(next);
        try (Stream<Path> all = Files.list(small.root())) {
            assertEquals(
                    List.of("skulk.yaml"),
                    all.map(f -> f.getFileName().toString()).toList());
        }
    }

    @Test
    void underWay() throws Exception {
        StorageService service = service(settings(1L << 30), TAKEN_LATER);
        assertClear(failure(service, Cards.card("org/model")), "needs 6.3 MB in all");
        assertTrue(hub.bytes.get() > 0);
        assertGoesOn(service);
    }

    @Test
    void beforeTheListOfFilesCanBeWritten() throws Exception {
        StorageService service = service(settings(1L << 30), TAKEN_LATER);
        Path filler = small.fill(0);
        assertClear(failure(service, Cards.card("org/model")), "needs 6.3 MB in all");
        Files.delete(filler);
        assertGoesOn(service);
    }

    @Test
    void atTheNotesOfATransfer() throws Exception {
        StorageService service = service(settings(1L << 30), TAKEN_LATER);
        Path filler = small.fill(8 << 10); // room for the list of files and a journal, not for content
        assertClear(failure(service, Cards.card("org/model")), "needs 6.3 MB in all");
        Files.delete(filler);
        assertGoesOn(service);
    }
}
