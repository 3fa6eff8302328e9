package skulk.kernel.cluster;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.Records;
import skulk.kernel.storage.WholeFile;

/** {@link Wishes.Kept} on disk, for a restart of all nodes. Written by a thread of its own, the newest only, in one piece; a disk that is full costs the restart, not the cluster. */
final class WishFile implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(WishFile.class.getName());

    private final Path file;
    private final AtomicReference<Optional<Wishes.Kept>> newest = new AtomicReference<>(Optional.empty());
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("placements").daemon().factory());
    private boolean failing; // of the writer

    WishFile(Path file) {
        this.file = file;
    }

    /** What an earlier run has left; a file that cannot be read is nothing, and the log says so. */
    Optional<Wishes.Kept> read() {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Records.fromJson(Json.parse(Files.readAllBytes(file)), Wishes.Kept.class));
        } catch (IOException | JsonException e) {
            LOG.log(Level.WARNING, "{0} is not understood, placements of the last run are not restored: {1}", file, e);
            return Optional.empty();
        }
    }

    void write(Wishes.Kept kept) {
        newest.set(Optional.of(kept));
        writer.execute(this::save);
    }

    /** There is nothing for this node to keep. */
    void delete() {
        newest.set(Optional.empty());
        writer.execute(this::save);
    }

    private void save() {
        Optional<Wishes.Kept> kept = newest.get();
        try {
            if (kept.isEmpty()) {
                Files.deleteIfExists(file);
                return;
            }
            WholeFile.write(file, Records.toJson(kept.get()).toString());
            failing = false;
        } catch (IOException e) {
            if (!failing) {
                failing = true;
                LOG.log(Level.WARNING, "placements are not kept for a restart of all nodes: {0}", e.toString());
            }
        }
    }

    @Override
    public void close() {
        writer.close();
    }
}
