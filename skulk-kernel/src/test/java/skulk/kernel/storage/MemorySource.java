package skulk.kernel.storage;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import skulk.api.CopySource;
import skulk.api.StorageBackend;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** A source in memory that counts what it gives and misbehaves as told. */
final class MemorySource implements StorageBackend, CopySource {
    /** Decides what a read of a file from an offset does; may throw or change the stream. */
    @FunctionalInterface
    interface Mischief {
        ReadableByteChannel open(ModelFile file, long offset, byte[] bytes) throws IOException;
    }

    private final String name;
    private final Map<ModelId, Map<String, byte[]>> models = new ConcurrentHashMap<>();
    final AtomicLong bytes = new AtomicLong();
    final AtomicInteger opens = new AtomicInteger();
    final AtomicInteger finds = new AtomicInteger();
    volatile boolean digests = true;
    volatile String revision = "r1";
    volatile Mischief mischief = (file, offset, content) -> from(content, offset);
    volatile Optional<Path> local = Optional.empty();
    /** Whether it tells the digests of blocks. */
    volatile boolean blockDigests;
    /** What it has of a file. */
    volatile Function<ModelFile, FilePart> offered =
            file -> new FilePart(file.path(), List.of(new ByteRange(0, file.size())));

    /** What it does when it is asked to make a copy. */
    @FunctionalInterface
    interface Fetch {
        void run() throws IOException;
    }

    volatile Fetch onFetch = () -> {};

    MemorySource(String name) {
        this.name = name;
    }

    MemorySource with(ModelId model, String file, byte[] content) {
        models.computeIfAbsent(model, m -> new TreeMap<>()).put(file, content);
        return this;
    }

    MemorySource without(ModelId model) {
        models.remove(model);
        return this;
    }

    static ReadableByteChannel from(byte[] content, long offset) {
        return Channels.newChannel(new ByteArrayInputStream(content, (int) offset, content.length - (int) offset));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        finds.incrementAndGet();
        Map<String, byte[]> files = models.get(model);
        if (files == null) {
            return Optional.empty();
        }
        List<ModelFile> list = new ArrayList<>();
        files.forEach((path, content) -> list.add(new ModelFile(
                path,
                content.length,
                digests ? Optional.of(HexFormat.of().formatHex(Digests.sha256().digest(content))) : Optional.empty())));
        return Optional.of(new ModelManifest(model, revision, name, list));
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
        opens.incrementAndGet();
        Map<String, byte[]> files = models.get(model);
        if (files == null || !files.containsKey(file.path())) {
            throw new IOException("gone: " + file.path());
        }
        return counted(mischief.open(file, range.start(), files.get(file.path())));
    }

    @Override
    public FilePart available(ModelId model, ModelFile file) {
        return offered.apply(file);
    }

    @Override
    public Optional<byte[]> digests(ModelId model, ModelFile file) {
        if (!blockDigests) {
            return Optional.empty();
        }
        byte[] content = models.get(model).get(file.path());
        ByteBuffer digests = ByteBuffer.allocate(32 * ((content.length + BLOCK - 1) / BLOCK));
        for (int at = 0; at < content.length; at += BLOCK) {
            digests.put(Digests.sha256().digest(Arrays.copyOfRange(content, at, Math.min(at + BLOCK, content.length))));
        }
        return Optional.of(digests.array());
    }

    private ReadableByteChannel counted(ReadableByteChannel inner) {
        return new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer target) throws IOException {
                int n = inner.read(target);
                bytes.addAndGet(Math.max(0, n));
                return n;
            }

            @Override
            public boolean isOpen() {
                return inner.isOpen();
            }

            @Override
            public void close() throws IOException {
                inner.close();
            }
        };
    }

    @Override
    public Optional<Path> local(ModelId model) {
        return models.containsKey(model) ? local : Optional.empty();
    }

    @Override
    public Optional<CopySource> copies() {
        return Optional.of(this);
    }

    @Override
    public boolean fetch(ModelManifest manifest) throws IOException {
        onFetch.run();
        return models.containsKey(manifest.model());
    }
}
