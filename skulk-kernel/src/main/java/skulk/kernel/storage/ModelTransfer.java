package skulk.kernel.storage;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import skulk.api.StorageBackend;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelManifest;
import skulk.kernel.storage.PartialFile.Window;

/**
 * Brings the files of one manifest from one source into a folder: parallel ranges, resumed where an earlier attempt stopped, every file verified before
 * it gets its final name. Used by one thread, which works with a few of its own until {@link #run} returns.
 */
final class ModelTransfer {
    private static final int BUFFER = 256 << 10;

    private final ModelFolder folder;
    private final ModelManifest manifest;
    private final StorageBackend source;
    private final Pace pace;
    private final Progress progress;

    /** Limits and the shared bandwidth. */
    record Pace(TransferLimits limits, Throttle throttle) {}

    ModelTransfer(ModelFolder folder, ModelManifest manifest, StorageBackend source, Pace pace, Progress progress) {
        this.folder = folder;
        this.manifest = manifest;
        this.source = source;
        this.pace = pace;
        this.progress = progress;
    }

    /** Bytes that are missing still: what a run would write. */
    static long missing(ModelFolder folder, ModelManifest manifest) throws IOException {
        long missing = 0;
        for (ModelFile file : manifest.files()) {
            if (!folder.holds(file)) {
                missing += file.size() - partialBytes(folder, file, manifest.revision());
            }
        }
        return missing;
    }

    private static long partialBytes(ModelFolder folder, ModelFile file, String revision) throws IOException {
        if (!Files.exists(folder.partial(file))) {
            return 0;
        }
        try (PartialFile partial = PartialFile.open(folder, file, revision)) {
            return partial.bytes();
        }
    }

    /**
     * Fetches what is missing.
     *
     * @throws IOException where the source failed too often in a row, or sends bytes that do not have the listed digest
     */
    void run() throws IOException, InterruptedException {
        Map<String, PartialFile> open = new LinkedHashMap<>();
        try {
            Queue<Window> windows = new ConcurrentLinkedQueue<>();
            for (ModelFile file : manifest.files()) {
                if (folder.holds(file)) {
                    progress.finished(file);
                    continue;
                }
                PartialFile partial = PartialFile.open(folder, file, manifest.revision());
                open.put(file.path(), partial);
                progress.resumed(file, partial.bytes());
                if (partial.full()) {
                    finish(partial);
                } else {
                    windows.addAll(partial.missing());
                }
            }
            work(windows);
        } finally {
            for (PartialFile partial : open.values()) {
                partial.close();
            }
        }
    }

    private void work(Queue<Window> windows) throws IOException, InterruptedException {
        int workers = Math.min(pace.limits().parallel(), windows.size());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        try {
            ExecutorCompletionService<Void> results = new ExecutorCompletionService<>(threads);
            for (int i = 0; i < workers; i++) {
                results.submit(() -> {
                    for (Window window = windows.poll(); window != null; window = windows.poll()) {
                        fetch(window);
                    }
                    return null;
                });
            }
            for (int i = 0; i < workers; i++) {
                results.take().get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException io -> throw io;
                case RuntimeException runtime -> throw runtime;
                case InterruptedException interrupted -> throw interrupted;
                default -> throw new IOException(e.getCause());
            }
        } finally {
            threads.shutdownNow();
            threads.close();
        }
    }

    private void fetch(Window window) throws IOException, InterruptedException {
        PartialFile partial = window.partial();
        int failures = 0;
        long at = partial.firstMissing(window);
        while (at < window.end()) {
            long before = at;
            try {
                stream(window, at);
            } catch (IOException e) {
                failures = partial.firstMissing(window) > before ? 1 : failures + 1;
                retryOrThrow(partial.file(), failures, e);
                progress.rewound(partial.file(), partial.bytes());
            }
            at = partial.firstMissing(window);
        }
        synchronized (partial) {
            if (partial.full() && !folder.holds(partial.file())) {
                finish(partial);
            }
        }
    }

    private void retryOrThrow(ModelFile file, int failures, IOException e) throws IOException, InterruptedException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedException();
        }
        if (DiskSpace.isFull(e) || failures >= pace.limits().attempts()) {
            throw new IOException("%s: %s".formatted(file.path(), message(e)), e);
        }
        Thread.sleep(pace.limits().pause(failures));
    }

    static String message(Exception e) {
        return e.getMessage() == null || e.getMessage().isEmpty() ? e.getClass().getSimpleName() : e.getMessage();
    }

    private void stream(Window window, long from) throws IOException, InterruptedException {
        PartialFile partial = window.partial();
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        long at = from;
        try (ReadableByteChannel channel = source.open(manifest.model(), partial.file(), from)) {
            while (at < window.end()) {
                buffer.clear().limit((int) Math.min(BUFFER, window.end() - at));
                int n = channel.read(buffer);
                if (n < 0) {
                    throw new EOFException("the source ended at byte %d of %d"
                            .formatted(at, partial.file().size()));
                }
                pause(n);
                at = partial.write(at, buffer.flip());
                progress.received(partial.file(), n);
            }
        }
    }

    private void pause(int bytes) throws InterruptedException {
        long nanos = pace.throttle().book(bytes);
        if (nanos > 0) {
            Thread.sleep(Duration.ofNanos(nanos));
        }
    }

    private void finish(PartialFile partial) throws IOException, InterruptedException {
        Optional<String> wanted = partial.file().sha256();
        if (wanted.isPresent()) {
            String found = partial.sha256();
            if (!found.equals(wanted.get()) && !repair(partial, wanted.get())) {
                partial.discard();
                throw new IOException("%s: SHA-256 is %s but %s lists %s, also after fetching every part again"
                        .formatted(partial.file().path(), found, source.name(), wanted.get()));
            }
        }
        partial.publish();
        progress.finished(partial.file());
    }

    /** Fetches window by window again and replaces the first that differs, until the digest is right: only what is wrong is written. */
    private boolean repair(PartialFile partial, String wanted) throws IOException, InterruptedException {
        for (Window window : partial.all()) {
            if (partial.replace(window.start(), again(window))
                    && partial.sha256().equals(wanted)) {
                return true;
            }
        }
        return false;
    }

    private ByteBuffer again(Window window) throws IOException, InterruptedException {
        ModelFile file = window.partial().file();
        for (int failures = 1; ; failures++) {
            ByteBuffer bytes = ByteBuffer.allocate((int) (window.end() - window.start()));
            try (ReadableByteChannel channel = source.open(manifest.model(), file, window.start())) {
                while (bytes.hasRemaining()) {
                    if (channel.read(bytes) < 0) {
                        throw new EOFException("the source ended early");
                    }
                }
                return bytes.flip();
            } catch (IOException e) {
                retryOrThrow(file, failures, e);
            }
        }
    }

    /** The manifest with the digests of files whose source did not list one, worked out from the verified copy. */
    static ModelManifest withDigests(ModelFolder folder, ModelManifest manifest) throws IOException {
        List<ModelFile> files = new ArrayList<>();
        for (ModelFile file : manifest.files()) {
            files.add(
                    file.sha256().isPresent()
                            ? file
                            : new ModelFile(file.path(), file.size(), Optional.of(Digests.sha256(folder.file(file)))));
        }
        return new ModelManifest(manifest.model(), manifest.revision(), manifest.source(), files);
    }
}
