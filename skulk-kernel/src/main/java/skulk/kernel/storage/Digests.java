package skulk.kernel.storage;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of files. */
final class Digests {
    private static final int CHUNK = 1 << 20;

    private Digests() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The digests of a file's blocks, see {@link skulk.api.CopySource#digests}. */
    static byte[] blocks(Path file) throws IOException {
        ByteArrayOutputStream digests = new ByteArrayOutputStream();
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = sha256();
            for (byte[] block = in.readNBytes(CHUNK); block.length > 0; block = in.readNBytes(CHUNK)) {
                digests.writeBytes(digest.digest(block));
            }
        }
        return digests.toByteArray();
    }

    /** The digest of a file, lower-case hexadecimal. */
    static String sha256(Path file) throws IOException {
        MessageDigest digest = sha256();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
            while (channel.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
