package skulk.kernel.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import skulk.api.model.ModelFile;

/** A file on its way: its bytes in {@code <file>.partial}, its finished blocks in the journal beside. Safe for use by several threads. */
final class PartialFile implements AutoCloseable {
    /** 16 MiB, the unit of one ranged request; sources may align their own requests to it. */
    static final int WINDOW = 16 << 20;

    private final ModelFolder folder;
    private final ModelFile file;
    private final FileChannel channel;
    private final BlockJournal journal;

    /** A stretch of the file that is fetched by one worker. */
    record Window(PartialFile partial, long start, long end) {}

    private PartialFile(ModelFolder folder, ModelFile file, FileChannel channel, BlockJournal journal) {
        this.folder = folder;
        this.file = file;
        this.channel = channel;
        this.journal = journal;
    }

    /** Continues what is on disk of the same content, else begins anew. */
    static PartialFile open(ModelFolder folder, ModelFile file, String revision) throws IOException {
        Files.createDirectories(folder.file(file).getParent());
        String content = file.sha256().orElse(revision + ' ' + file.path());
        if (!Files.exists(folder.partial(file))) {
            Files.deleteIfExists(folder.blocks(file)); // a journal without its bytes says nothing
        }
        BlockJournal journal = BlockJournal.open(folder.blocks(file), content, file.size());
        try {
            FileChannel channel = FileChannel.open(
                    folder.partial(file), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            return new PartialFile(folder, file, channel, journal);
        } catch (IOException e) {
            journal.close();
            throw e;
        }
    }

    ModelFile file() {
        return file;
    }

    /** Bytes that are safely here. */
    long bytes() {
        return journal.bytes();
    }

    boolean full() {
        return journal.all();
    }

    /** The stretches that lack at least one block; none for an empty file. */
    List<Window> missing() {
        List<Window> windows = new ArrayList<>();
        for (long start = 0; start < file.size(); start += WINDOW) {
            Window window = new Window(this, start, Math.min(start + WINDOW, file.size()));
            if (firstMissing(window) < window.end()) {
                windows.add(window);
            }
        }
        return windows;
    }

    List<Window> all() {
        List<Window> windows = new ArrayList<>();
        for (long start = 0; start < file.size(); start += WINDOW) {
            windows.add(new Window(this, start, Math.min(start + WINDOW, file.size())));
        }
        return windows;
    }

    /** Where the first unfinished block of a window begins; its end where all are finished. */
    long firstMissing(Window window) {
        for (long at = window.start(); at < window.end(); at += BlockJournal.BLOCK) {
            if (!journal.has((int) (at / BlockJournal.BLOCK))) {
                return at;
            }
        }
        return window.end();
    }

    /**
     * Writes bytes that follow each other from the start of a block, and notes every block that they finish.
     *
     * @return the position after them
     */
    long write(long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
        for (long block = position / BlockJournal.BLOCK; block <= (at - 1) / BlockJournal.BLOCK; block++) {
            if (at >= Math.min((block + 1) * BlockJournal.BLOCK, file.size())) {
                journal.finish((int) block);
            }
        }
        return at;
    }

    /** Replaces bytes that turned out to be wrong; false where they are the same already. */
    boolean replace(long position, ByteBuffer bytes) throws IOException {
        ByteBuffer here = ByteBuffer.allocate(bytes.remaining());
        long at = position;
        while (here.hasRemaining()) {
            int n = channel.read(here, at);
            if (n < 0) {
                break;
            }
            at += n;
        }
        if (here.flip().equals(bytes)) {
            return false;
        }
        at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
        return true;
    }

    String sha256() throws IOException {
        return Digests.sha256(folder.partial(file));
    }

    /** Flushes the bytes and gives the file its final name. */
    void publish() throws IOException {
        channel.force(true);
        close();
        Files.move(
                folder.partial(file),
                folder.file(file),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(folder.blocks(file));
    }

    /** Forgets all bytes. */
    void discard() throws IOException {
        close();
        Files.deleteIfExists(folder.blocks(file));
        Files.deleteIfExists(folder.partial(file));
    }

    @Override
    public void close() throws IOException {
        try (journal) {
            channel.close();
        }
    }
}
