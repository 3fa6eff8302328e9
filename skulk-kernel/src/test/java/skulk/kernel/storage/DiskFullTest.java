package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Download;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

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
