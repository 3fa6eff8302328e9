package skulk.kernel.storage;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Regular files in a tape archive, as {@code tar} reads and writes them: the POSIX ustar header of 512 bytes, sizes above 8 GiB in the base-256 form that GNU
 * tar introduced.
 */
final class Tar {
    private static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final int PREFIX = 155;
    private static final long MAX_OCTAL = (1L << 33) - 1;

    private Tar() {}

    /** One file's name and size; its bytes follow in the stream. */
    record Entry(String name, long size) {
        /** Zero bytes after the content. */
        int padding() {
            return (int) (-size & (BLOCK - 1));
        }
    }

    static void header(OutputStream out, Entry entry) throws IOException {
        byte[] block = new byte[BLOCK];
        byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
        int cut = name.length <= NAME ? -1 : slash(name);
        text(block, 0, Arrays.copyOfRange(name, cut + 1, name.length));
        text(block, 345, Arrays.copyOf(name, Math.max(cut, 0)));
        text(block, 100, bytes("0000644\0" + "0000000\0" + "0000000\0"));
        size(block, entry.size());
        text(block, 136, bytes("00000000000\0"));
        block[156] = '0';
        text(block, 257, bytes("ustar\0" + "00"));
        text(block, 148, bytes("%06o\0 ".formatted(checksum(block))));
        out.write(block);
    }

    /** The slash that leaves at most 100 bytes behind it and at most 155 before it. */
    private static int slash(byte[] name) throws IOException {
        for (int i = name.length - NAME - 1; i <= Math.min(PREFIX, name.length - 1); i++) {
            if (name[i] == '/') {
                return i;
            }
        }
        throw new IOException("name too long for a tape archive: " + new String(name, StandardCharsets.UTF_8));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void text(byte[] block, int at, byte[] text) {
        System.arraycopy(text, 0, block, at, text.length);
    }

    private static void size(byte[] block, long size) {
        if (size <= MAX_OCTAL) {
            text(block, 124, bytes("%011o\0".formatted(size)));
            return;
        }
        block[124] = (byte) 0x80;
        for (int i = 0; i < 8; i++) {
            block[135 - i] = (byte) (size >>> (8 * i));
        }
    }

    /** The sum of all bytes, the checksum's own eight counted as blanks. */
    private static int checksum(byte[] block) {
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : block[i] & 0xff;
        }
        return sum;
    }

    /** What ends an archive. */
    static void end(OutputStream out) throws IOException {
        out.write(new byte[2 * BLOCK]);
    }

    /** The next file's header; empty at the archive's end. */
    static Optional<Entry> next(InputStream in) throws IOException {
        byte[] block = in.readNBytes(BLOCK);
        if (block.length < BLOCK) {
            throw new EOFException("the archive ends early");
        }
        if (Arrays.equals(block, new byte[BLOCK])) {
            return Optional.empty();
        }
        long sum = octal(block, 148, 8);
        if (sum != checksum(block) || (block[156] != '0' && block[156] != 0)) {
            throw new IOException("not a tape archive of regular files");
        }
        String name = string(block, 0, NAME);
        String prefix = string(block, 345, PREFIX);
        long size = block[124] == (byte) 0x80 ? binary(block) : octal(block, 124, 12);
        if (size < 0) {
            throw new IOException("the archive has a negative size for " + name);
        }
        return Optional.of(new Entry(prefix.isEmpty() ? name : prefix + '/' + name, size));
    }

    private static long binary(byte[] block) {
        long size = 0;
        for (int i = 128; i < 136; i++) {
            size = size << 8 | block[i] & 0xff;
        }
        return size;
    }

    private static long octal(byte[] block, int at, int length) throws IOException {
        String text = string(block, at, length).strip();
        try {
            return text.isEmpty() ? 0 : Long.parseLong(text, 8);
        } catch (NumberFormatException e) {
            throw new IOException("not a tape archive: '" + text + "' where a number belongs", e);
        }
    }

    private static String string(byte[] block, int at, int length) {
        int end = at;
        while (end < at + length && block[end] != 0) {
            end++;
        }
        return new String(block, at, end - at, StandardCharsets.UTF_8);
    }
}
