package skulk.kernel.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.List;
import skulk.api.model.ByteRange;

/**
 * Which blocks of a partial file are on disk: a key of {@value #KEY} bytes, then the numbers of finished blocks, 4 bytes each, appended as they finish.
 *
 * <p>A block is appended after its bytes were written, so a killed process loses unfinished blocks only. After a power cut the journal may claim
 * blocks whose bytes never reached the disk; the digest of the whole file finds that. Safe for use by several threads.
 */
final class BlockJournal implements AutoCloseable {
    /** 1 MiB: with four ranges at a time a killed process loses less than 4 MiB per file. */
    static final int BLOCK = 1 << 20;

    private static final int KEY = 32;

    private final FileChannel channel;
    private final long size;
    private final BitSet done;

    private BlockJournal(FileChannel channel, long size, BitSet done) {
        this.channel = channel;
        this.size = size;
        this.done = done;
    }

    /**
     * Opens a journal, or begins one where there is none or where it belongs to other content.
     *
     * @param content names the bytes: a digest, or revision and path
     * @param size of the whole file
     */
    static BlockJournal open(Path path, String content, long size) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            byte[] key = Digests.sha256().digest((content + ' ' + size).getBytes(StandardCharsets.UTF_8));
            BitSet done = new BitSet();
            ByteBuffer old = ByteBuffer.allocate((int) Math.min(channel.size(), KEY + 4L * blocks(size) + 4096));
            while (old.hasRemaining() && channel.read(old, old.position()) >= 0) {}
            old.flip();
            boolean same = old.remaining() >= KEY && old.slice(0, KEY).equals(ByteBuffer.wrap(key));
            old.position(same ? KEY : old.limit());
            while (old.remaining() >= 4) {
                int block = old.getInt();
                if (block >= 0 && block < blocks(size)) {
                    done.set(block);
                }
            }
            if (!same) {
                channel.truncate(0);
                channel.write(ByteBuffer.wrap(key), 0);
            }
            channel.truncate(KEY + (channel.size() - KEY) / 4 * 4); // a torn entry would shift all that follow
            return new BlockJournal(channel, size, done);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    static int blocks(long size) {
        return Math.toIntExact((size + BLOCK - 1) / BLOCK);
    }

    synchronized boolean has(int block) {
        return done.get(block);
    }

    /** Notes that all bytes of a block have been written. */
    synchronized void finish(int block) throws IOException {
        if (!done.get(block)) {
            channel.write(ByteBuffer.allocate(4).putInt(block).flip(), channel.size());
            done.set(block);
        }
    }

    /** Takes back that a block is there: its bytes turned out to be wrong. */
    synchronized void forget(int block) throws IOException {
        done.clear(block);
        ByteBuffer all = ByteBuffer.allocate(4 * done.cardinality());
        done.stream().forEach(all::putInt);
        channel.truncate(KEY);
        channel.write(all.flip(), KEY);
    }

    /** The finished blocks. */
    synchronized BitSet done() {
        return (BitSet) done.clone();
    }

    /** The finished blocks that a journal names, whatever it belongs to; none where there is no journal. */
    static BitSet read(Path path, long size) {
        BitSet done = new BitSet();
        try {
            ByteBuffer journal = ByteBuffer.wrap(Files.readAllBytes(path));
            journal.position(Math.min(KEY, journal.limit()));
            while (journal.remaining() >= 4) {
                int block = journal.getInt();
                if (block >= 0 && block < blocks(size)) {
                    done.set(block);
                }
            }
        } catch (IOException e) {
            return done; // a file that is whole has none
        }
        return done;
    }

    /** Where some blocks of a file lie. */
    static List<ByteRange> ranges(BitSet blocks, long size) {
        return blocks.stream()
                .mapToObj(block -> new ByteRange((long) block * BLOCK, Math.min((block + 1L) * BLOCK, size)))
                .toList();
    }

    /** Bytes of some blocks of a file. */
    static long bytes(BitSet blocks, long size) {
        long bytes = (long) blocks.cardinality() * BLOCK;
        int last = blocks(size) - 1;
        return last >= 0 && blocks.get(last) ? bytes - ((long) (last + 1) * BLOCK - size) : bytes;
    }

    /** Bytes of all finished blocks. */
    synchronized long bytes() {
        return bytes(done, size);
    }

    synchronized boolean all() {
        return done.cardinality() == blocks(size);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
