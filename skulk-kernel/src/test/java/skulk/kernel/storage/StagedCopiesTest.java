package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.Download;
import skulk.api.cluster.NodeId;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation.StagedModel;

class StagedCopiesTest extends StorageFixture {
    private void copy(String name, int bytes, int ageSeconds) throws IOException {
        ModelFolder folder =
                new ModelFolder(Files.createDirectories(disk.resolve("staging").resolve(name)));
        Files.write(folder.path().resolve("model.safetensors"), new byte[bytes]);
        Files.writeString(folder.path().resolve("config.json"), "");
        folder.touch(Instant.now().minusSeconds(ageSeconds));
    }

    private List<String> left() throws IOException {
        try (Stream<Path> list = Files.list(disk.resolve("staging"))) {
            return list.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void evictsAtTheThreeTriggersAndNeverWhatIsInUse() throws Exception {
        copy("org--main", 100, 50);
        copy("org--draft", 100, 60);
        copy("org--recent", 100, 10);
        copy("org--older", 100, 20);
        copy("org--oldest", 100, 30);
        Files.createDirectories(disk.resolve("staging/.trash-left-over"));
        Files.createDirectories(disk.resolve("staging/photos"));
        active.add(Cards.card("org/main", Optional.empty(), Optional.of("org/draft")));
        StorageService service = service(settings(250), DiskSpace.real());
        service.reconcile();
        assertEquals(List.of("org--draft", "org--main", "org--older", "org--recent", "photos"), left());
        active.clear();
        service.release(new ModelId("org/main"));
        assertEquals(List.of("org--main", "org--recent", "photos"), left(), "the model released last counts as newest");
        active.add(Cards.card("org/recent"));
        service.purge(Optional.of(new ModelId("org/recent")));
        assertEquals(List.of("org--main", "org--recent", "photos"), left(), "in use is never purged");
        service.purge(Optional.of(new ModelId("org/none")));
        service.purge(Optional.of(new ModelId("org/main")));
        assertEquals(List.of("org--recent", "photos"), left());
        active.clear();
        service.purge(Optional.empty());
        assertEquals(List.of("photos"), left(), "what is no model is not Skulk's");
    }

    @Test
    void evictionByItselfCanBeSwitchedOffAndPurgingStillWorks() throws Exception {
        copy("org--m", 100, 50);
        StorageSettings s = settings(0);
        StorageSettings manual = new StorageSettings(
                s.node(), s.nodeName(), s.staging(), true, s.store(), false, false, 0, true, s.limits());
        StorageService service = service(manual, DiskSpace.real());
        service.reconcile();
        service.release(new ModelId("org/m"));
        assertEquals(List.of("org--m"), left());
        service.purge(Optional.empty());
        assertEquals(List.of(), left());
    }

    @Test
    void aStoreHostKeepsDownloadsInTheStoreAndNeverEvictsThem() throws Exception {
        hub.with(MODEL, "config.json", "{}".getBytes());
        StorageSettings s = settings(0);
        Path store = disk.resolve("store");
        StorageSettings host = new StorageSettings(
                s.node(), s.nodeName(), s.staging(), true, Optional.of(store), false, true, 0, true, s.limits());
        StorageService service = service(host, DiskSpace.real());
        Staged staged = get(service, Cards.card("org/model"));
        assertEquals(store.resolve("org--model"), staged.folder());
        assertTrue(staged.inPlace());
        service.release(MODEL);
        service.purge(Optional.empty());
        assertTrue(Files.exists(store.resolve("org--model/config.json")));
        assertEquals(List.of(), service.report(0).stagedModels());
    }

    @Test
    void reportsWhatIsStaged() throws Exception {
        copy("org--used", 100, 50);
        copy("org--idle", 70, 10);
        active.add(Cards.card("org/used"));
        var report = service().report(7);
        assertEquals(new NodeId("n1"), report.nodeId());
        assertEquals(Optional.of(disk.resolve("staging").toString()), report.stagingRoot());
        assertEquals(
                List.of(new ModelId("org/idle"), new ModelId("org/used")),
                report.stagedModels().stream().map(StagedModel::modelId).toList());
        assertEquals(
                List.of(false, true),
                report.stagedModels().stream().map(StagedModel::inUse).toList());
        assertEquals(170, report.stagedTotalBytes());
        assertEquals(7, report.eventLogBytes());
        assertTrue(report.diskFreeBytes() > 0 && report.diskTotalBytes() >= report.diskFreeBytes());
        double age = System.currentTimeMillis() / 1e3
                - report.stagedModels().getLast().lastUsedEpochSeconds();
        assertTrue(age > 49 && age < 60, "last use " + age + " s ago");
    }

    @Test
    void evictionIsToldAsPending() throws Exception {
        hub.with(MODEL, "config.json", "{}".getBytes());
        StorageService service = service(settings(0), DiskSpace.real());
        get(service, Cards.card("org/model"));
        service.release(MODEL);
        Download.DownloadPending last = assertInstanceOf(Download.DownloadPending.class, told.getLast());
        assertEquals(0, last.downloaded().inBytes());
        assertTrue(service.ready(Cards.shard(Cards.card("org/model"))).isEmpty());
    }
}
