package skulk.kernel.event;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPOutputStream;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * The files behind the log: {@code events.bin} with records of four bytes length (big-endian) and MessagePack, {@code events.meta.json} with
 * <code>{startIdx, count}</code>, and archives of earlier runs. Archives are gzip: the JDK has no Zstandard, and nothing reads them but people.
 *
 * <p>Written by one thread; the counters may be read by any.
 */
final class LogFile {
    private static final System.Logger LOG = System.getLogger(LogFile.class.getName());
    private static final String CURRENT = "events.bin";
    private static final String META = "events.meta.json";

    private final Path directory;
    private final LogLimits limits;
    private FileChannel channel;
    private ByteBuffer pending = ByteBuffer.allocate(1 << 16);
    private long startIdx;
    private long records;
    private long pendingRecords;
    private long length;
    private volatile long appended;
    private volatile boolean countingOnly;

    private LogFile(Path directory, LogLimits limits, FileChannel channel) {
        this.directory = directory;
        this.limits = limits;
        this.channel = channel;
    }

    static LogFile open(Path directory, LogLimits limits) throws IOException {
        Files.createDirectories(directory);
        archive(directory);
        prune(directory, limits);
        FileChannel channel = FileChannel.open(
                directory.resolve(CURRENT),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING);
        return new LogFile(directory, limits, channel);
    }

    private static void archive(Path directory) {
        Path current = directory.resolve(CURRENT);
        Path archive = directory.resolve("events." + System.currentTimeMillis() + ".bin.gz");
        try {
            if (!Files.exists(current) || Files.size(current) == 0) {
                return;
            }
            try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(archive))) {
                Files.copy(current, out);
            }
            Files.delete(current);
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the log of the last run is dropped, it cannot be archived: {0}",
                    e.getMessage());
            deleteQuietly(archive);
        }
    }

    private static void prune(Path directory, LogLimits limits) throws IOException {
        List<Path> newestFirst = archives(directory).stream()
                .sorted(Comparator.comparing((Path p) -> p.getFileName().toString())
                        .reversed())
                .toList();
        long bytes = 0;
        int count = 0;
        for (Path archive : newestFirst) {
            bytes += Files.size(archive);
            count++;
            if (count > limits.archives() || bytes > limits.archiveBytes()) {
                deleteQuietly(archive);
            }
        }
    }

    private static List<Path> archives(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().matches("events\\.\\d+\\.bin\\.(gz|zst)"))
                    .toList();
        }
    }

    long bytes() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.mapToLong(f -> f.toFile().length()).sum();
        } catch (IOException e) {
            return 0;
        }
    }

    long counted() {
        return appended;
    }

    boolean countingOnly() {
        return countingOnly;
    }

    void append(byte[] record) {
        long number = appended++;
        try {
            if (number % limits.floorCheck() == 0) {
                checkFloor();
            }
            if (countingOnly) {
                return;
            }
            if (pending.remaining() < 4 + record.length) {
                write();
            }
            if (pending.remaining() < 4 + record.length) {
                pending = ByteBuffer.allocate(4 + record.length);
            }
            pending.putInt(record.length).put(record);
            pendingRecords++;
            if (appended % limits.metaEvery() == 0) {
                write();
                writeMeta();
            }
            if (appended % limits.ringCheck() == 0 && length > limits.ringBytes()) {
                compact();
            }
        } catch (IOException e) {
            degrade("a write failed (" + e.getMessage() + ")");
        }
    }

    void flush() {
        try {
            write();
        } catch (IOException e) {
            degrade("a write failed (" + e.getMessage() + ")");
        }
    }

    private void write() throws IOException {
        if (countingOnly || pending.position() == 0) {
            return;
        }
        pending.flip();
        try {
            while (pending.hasRemaining()) {
                channel.write(pending, length + pending.position());
            }
            length += pending.limit();
            records += pendingRecords;
        } finally {
            pending.clear();
            pendingRecords = 0;
        }
    }

    private void checkFloor() throws IOException {
        boolean low = Files.getFileStore(directory).getUsableSpace() < limits.freeFloor();
        if (low && !countingOnly) {
            write();
            degrade("less than %d MiB are free in %s".formatted(limits.freeFloor() >> 20, directory));
        } else if (!low && countingOnly) {
            countingOnly = false;
            LOG.log(
                    System.Logger.Level.INFO,
                    "the event log is written again, after {0,number,#} events that were only counted",
                    appended - startIdx - records);
        }
    }

    private void degrade(String why) {
        pending.clear();
        pendingRecords = 0;
        if (!countingOnly) {
            countingOnly = true;
            LOG.log(
                    System.Logger.Level.ERROR,
                    "CRITICAL: the event log only counts events from now on: {0}. Inference goes on; free disk space to have a log again",
                    why);
        }
        try {
            channel.truncate(length); // no half record
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "truncating the event log", e);
        }
    }

    private void writeMeta() throws IOException {
        Path fresh = directory.resolve(META + ".new");
        Files.writeString(
                fresh,
                JsonObject.builder()
                        .put("startIdx", startIdx)
                        .put("count", records)
                        .build()
                        .toString());
        Files.move(fresh, directory.resolve(META), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Keeps the newest records in a new file; readers go on in the old one. */
    private void compact() throws IOException {
        write();
        long dropped = Math.max(0, records - limits.ringKeep());
        Path fresh = directory.resolve(CURRENT + ".new");
        try (InputStream in = new BufferedInputStream(Files.newInputStream(directory.resolve(CURRENT)), 1 << 16);
                OutputStream out = new BufferedOutputStream(Files.newOutputStream(fresh), 1 << 16)) {
            DataInputStream data = new DataInputStream(in);
            for (long i = 0; i < dropped; i++) {
                data.skipNBytes(data.readInt());
            }
            data.transferTo(out);
        } catch (IOException e) {
            deleteQuietly(fresh);
            throw e;
        }
        channel.close();
        Files.move(
                fresh, directory.resolve(CURRENT), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        channel = FileChannel.open(directory.resolve(CURRENT), StandardOpenOption.WRITE);
        length = channel.size();
        startIdx += dropped;
        records -= dropped;
        writeMeta();
    }

    /** The records written so far. */
    Stream<Json> read() {
        long end = length;
        InputStream raw;
        try {
            raw = Files.newInputStream(directory.resolve(CURRENT));
        } catch (IOException e) {
            throw new UncheckedIOException("the event log cannot be read", e);
        }
        DataInputStream in = new DataInputStream(new BufferedInputStream(raw, 1 << 16));
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(new Reader(in, end), 0), false)
                .onClose(() -> {
                    try {
                        in.close();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }

    void close() {
        flush();
        try {
            writeMeta();
            channel.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "closing the event log: {0}", e.getMessage());
        }
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot delete {0}: {1}", file, e.getMessage());
        }
    }

    private static final class Reader implements Iterator<Json> {
        private final DataInputStream in;
        private long left;

        Reader(DataInputStream in, long bytes) {
            this.in = in;
            this.left = bytes;
        }

        @Override
        public boolean hasNext() {
            return left > 0;
        }

        @Override
        public Json next() {
            if (left <= 0) {
                throw new NoSuchElementException();
            }
            try {
                int size = in.readInt();
                byte[] record = in.readNBytes(size);
                if (record.length < size) {
                    throw new EOFException("a record is cut off");
                }
                left -= 4L + size;
                return MessagePack.read(record);
            } catch (IOException e) {
                throw new UncheckedIOException("the event log cannot be read", e);
            }
        }
    }
}
