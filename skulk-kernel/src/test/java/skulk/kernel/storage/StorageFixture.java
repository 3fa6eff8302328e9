package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.StorageBackend;
import skulk.api.cluster.Download;
import skulk.api.cluster.NodeId;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.problem.SkulkException;

/** What the tests of the storage service share: a disk, a source in memory, and what was told. */
abstract class StorageFixture {
    static final ModelId MODEL = new ModelId("org/model");
    static final int MIB = 1 << 20;

    @TempDir
    Path disk;

    final MemorySource hub = new MemorySource("hub");
    final List<StorageBackend> backends = new ArrayList<>(List.of(hub));
    final List<ModelCard> active = new CopyOnWriteArrayList<>();
    final List<Download> told = new CopyOnWriteArrayList<>();
    volatile ShareSource shares = ShareSource.WHOLE;
    private final List<StorageService> services = new ArrayList<>();

    @AfterEach
    void close() {
        services.forEach(StorageService::close);
    }

    StorageSettings settings(long keepBytes) {
        return new StorageSettings(
                new NodeId("n1"),
                "node-one",
                disk.resolve("staging"),
                true,
                Optional.empty(),
                false,
                true,
                keepBytes,
                true,
                new TransferLimits(4, 3, Duration.ofMillis(1), 0));
    }

    StorageService service(StorageSettings settings, DiskSpace space) {
        StorageService service = new StorageService(settings, () -> backends, shares, () -> active, told::add, space);
        services.add(service);
        return service;
    }

    StorageService service() {
        return service(settings(1L << 30), DiskSpace.real());
    }

    static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static Staged get(StorageService service, ModelCard card) throws Exception {
        return service.ensure(Cards.shard(card)).get(30, TimeUnit.SECONDS);
    }

    static SkulkException failure(StorageService service, ModelCard card) {
        ExecutionException e = assertThrows(ExecutionException.class, () -> get(service, card));
        return assertInstanceOf(SkulkException.class, e.getCause());
    }

    List<String> files(String directory) throws IOException {
        try (Stream<Path> list = Files.list(disk.resolve("staging").resolve(directory))) {
            return list.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }
}
