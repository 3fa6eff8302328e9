package skulk.storage.store;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Wakes when something changes in a folder. Used by one thread. */
final class FolderWatch implements AutoCloseable {
    private final WatchService service;

    FolderWatch(Path folder) throws IOException {
        service = folder.getFileSystem().newWatchService();
        try {
            folder.register(
                    service,
                    StandardWatchEventKinds.ENTRY_CREATE,
                    StandardWatchEventKinds.ENTRY_MODIFY,
                    StandardWatchEventKinds.ENTRY_DELETE);
        } catch (IOException e) {
            service.close();
            throw e;
        }
    }

    /** Waits for a change since the last call; false where none came in time or the folder has gone. */
    boolean await(Duration time) throws InterruptedException {
        WatchKey key = service.poll(time.toMillis(), TimeUnit.MILLISECONDS);
        if (key == null) {
            return false;
        }
        key.pollEvents();
        return key.reset();
    }

    @Override
    public void close() throws IOException {
        service.close();
    }
}
