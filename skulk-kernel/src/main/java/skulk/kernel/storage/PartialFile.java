package skulk.kernel.storage;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.BitSet;
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
            if (channel.size() < file.size()) {
                try (RandomAccessFile length =
                        new RandomAccessFile(folder.partial(file).toFile(), "rw")) {
                    length.setLength(file.size()); // a hole: it takes no room
                }
            }
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

    /** Those of some blocks that are here. */
    BitSet present(BitSet wanted) {
        BitSet present = journal.done();
        present.and(wanted);
        return present;
    }

    /** The stretches of blocks that are wanted and missing, none longer than {@link #WINDOW}. */
    List<Window> missing(BitSet wanted) {
        BitSet blocks = (BitSet) wanted.clone();
        blocks.andNot(journal.done());
        return windows(blocks);
    }

    List<Window> all() {
        BitSet blocks = new BitSet();
        blocks.set(0, BlockJournal.blocks(file.size()));
        return windows(blocks);
    }

    private List<Window> windows(BitSet blocks) {
        int most = WINDOW / BlockJournal.BLOCK;
        List<Window> windows = new ArrayList<>();
        for (int first = blocks.nextSetBit(0); first >= 0; ) {
            int end = Math.min(blocks.nextClearBit(first), first / most * most + most);
            windows.add(new Window(
                    this, (long) first * BlockJournal.BLOCK, Math.min((long) end * BlockJournal.BLOCK, file.size())));
            first = blocks.nextSetBit(end);
        }
        return windows;
    }

    /** The digest of one block. */
    byte[] sha256(int block) throws IOException {
        long at = (long) block * BlockJournal.BLOCK;
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(BlockJournal.BLOCK, file.size() - at));
        while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {}
        MessageDigest digest = Digests.sha256();
        digest.update(bytes.flip());
        return digest.digest();
    }

    /** Forgets a block whose bytes are wrong. */
    void forget(int block) throws IOException {
        journal.forget(block);
    }

    /** Flushes what is here; it stays a part. */
    void force() throws IOException {
        channel.force(true);
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
