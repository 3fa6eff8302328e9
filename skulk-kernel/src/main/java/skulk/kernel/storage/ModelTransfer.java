package skulk.kernel.storage;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
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
import skulk.api.CopySource;
import skulk.api.IncomingModel;
import skulk.api.StorageBackend;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
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
    static long missing(ModelFolder folder, Wanted wanted) throws IOException {
        long missing = 0;
        for (ModelFile file : wanted.manifest().files()) {
            if (!folder.holds(file)) {
                missing += wanted.bytes(file)
                        - partialBytes(folder, file, wanted.manifest().revision(), wanted.blocks(file));
            }
        }
        return missing;
    }

    private static long partialBytes(ModelFolder folder, ModelFile file, String revision, BitSet wanted)
            throws IOException {
        if (!Files.exists(folder.partial(file))) {
            return 0;
        }
        try (PartialFile partial = PartialFile.open(folder, file, revision)) {
            return BlockJournal.bytes(partial.present(wanted), file.size());
        }
    }

    /** The files as far as they are here, and what else of them is asked for. */
    IncomingModel incoming() {
        return new IncomingModel() {
            @Override
            public ModelManifest manifest() {
                return manifest;
            }

            @Override
            public Path require(String path, long start, long end) throws IOException, InterruptedException {
                ModelFile file = manifest.files().stream()
                        .filter(f -> f.path().equals(path))
                        .findFirst()
                        .orElseThrow(() -> new NoSuchFileException(path));
                FilePart part = new FilePart(path, List.of(new ByteRange(start, Math.min(end, file.size()))));
                return bring(file, new Wanted(manifest, Map.of(path, part)).blocks(file));
            }
        };
    }

    private Path bring(ModelFile file, BitSet blocks) throws IOException, InterruptedException {
        if (folder.holds(file)) {
            return folder.file(file);
        }
        try (PartialFile partial = PartialFile.open(folder, file, manifest.revision())) {
            for (Window window : partial.missing(blocks)) {
                fetch(window);
            }
            if (partial.full() && !folder.holds(file)) {
                finish(partial); // an empty file has no window that would end it
            }
        }
        return folder.holds(file) ? folder.file(file) : folder.partial(file);
    }

    /**
     * Fetches what is missing of what is wanted.
     *
     * @return whether all of it had listed digests: files that are whole now, and blocks of the others where the source tells their digests
     * @throws IOException where the source failed too often in a row, lacks some of it, or sends bytes that do not have the listed digest
     */
    boolean run(Wanted wanted) throws IOException, InterruptedException {
        Map<String, PartialFile> open = new LinkedHashMap<>();
        try {
            Queue<Window> windows = new ConcurrentLinkedQueue<>();
            boolean lacking = false;
            for (ModelFile file : manifest.files()) {
                BitSet blocks = wanted.blocks(file);
                if (folder.holds(file) || (blocks.isEmpty() && file.size() > 0)) {
                    progress.finished(file);
                    continue;
                }
                PartialFile partial = PartialFile.open(folder, file, manifest.revision());
                open.put(file.path(), partial);
                progress.resumed(file, BlockJournal.bytes(partial.present(blocks), file.size()));
                if (partial.full()) {
                    finish(partial);
                }
                BitSet here = offered(file);
                here.and(blocks);
                windows.addAll(partial.missing(here));
                blocks.andNot(here);
                lacking |= !partial.missing(blocks).isEmpty();
            }
            work(windows);
            if (lacking) {
                throw new IOException("it has only a part of what is needed of " + manifest.model());
            }
            return verify(open.values(), wanted);
        } finally {
            for (PartialFile partial : open.values()) {
                partial.close();
            }
        }
    }

    /** The blocks that the source has whole. */
    private BitSet offered(ModelFile file) throws IOException {
        BitSet blocks = new BitSet();
        Optional<CopySource> copies = source.copies();
        if (copies.isEmpty()) {
            blocks.set(0, BlockJournal.blocks(file.size()));
            return blocks;
        }
        for (ByteRange range : copies.get().available(manifest.model(), file).ranges()) {
            int first = BlockJournal.blocks(range.start());
            int end = range.end() >= file.size()
                    ? BlockJournal.blocks(file.size())
                    : (int) (range.end() / BlockJournal.BLOCK);
            blocks.set(first, Math.max(first, end));
        }
        return blocks;
    }

    /** Checks the blocks of files that are here in part; the others were checked as a whole. */
    private boolean verify(Collection<PartialFile> files, Wanted wanted) throws IOException, InterruptedException {
        boolean all = true;
        for (PartialFile partial : files) {
            ModelFile file = partial.file();
            if (folder.holds(file)) {
                continue;
            }
            partial.force();
            Optional<byte[]> digests = digests(file);
            all &= digests.isPresent();
            if (digests.isPresent()) {
                verify(partial, wanted.blocks(file), digests.get());
            }
            progress.finished(file);
        }
        return all;
    }

    private Optional<byte[]> digests(ModelFile file) throws IOException, InterruptedException {
        for (int failures = 1; ; failures++) {
            try {
                Optional<CopySource> copies = source.copies();
                return copies.isPresent() ? copies.get().digests(manifest.model(), file) : Optional.empty();
            } catch (IOException e) {
                retryOrThrow(file, failures, e);
            }
        }
    }

    /** A block that is wrong is fetched once more, it alone. */
    private void verify(PartialFile partial, BitSet blocks, byte[] digests) throws IOException, InterruptedException {
        if (digests.length != 32 * BlockJournal.blocks(partial.file().size())) {
            throw new IOException("%s: %d bytes of digests do not fit a file of %d"
                    .formatted(
                            partial.file().path(),
                            digests.length,
                            partial.file().size()));
        }
        for (int block = blocks.nextSetBit(0); block >= 0; block = blocks.nextSetBit(block + 1)) {
            byte[] listed = Arrays.copyOfRange(digests, 32 * block, 32 * block + 32);
            if (!Arrays.equals(partial.sha256(block), listed)) {
                long start = (long) block * BlockJournal.BLOCK;
                long end = Math.min(start + BlockJournal.BLOCK, partial.file().size());
                partial.replace(start, again(new Window(partial, start, end)));
                if (!Arrays.equals(partial.sha256(block), listed)) {
                    partial.forget(block);
                    throw new IOException(
                            "%s: the SHA-256 of bytes %d to %d is not what %s lists, also after fetching them again"
                                    .formatted(partial.file().path(), start, end, source.name()));
                }
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
        try (ReadableByteChannel channel =
                source.open(manifest.model(), partial.file(), new ByteRange(from, window.end()))) {
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
            try (ReadableByteChannel channel =
                    source.open(manifest.model(), file, new ByteRange(window.start(), window.end()))) {
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
                    file.sha256().isPresent() || !folder.holds(file)
                            ? file
                            : new ModelFile(file.path(), file.size(), Optional.of(Digests.sha256(folder.file(file)))));
        }
        return new ModelManifest(manifest.model(), manifest.revision(), manifest.source(), files);
    }
}
