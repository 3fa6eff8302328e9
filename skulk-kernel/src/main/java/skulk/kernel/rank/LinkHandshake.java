package skulk.kernel.rank;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Both ends of a new link prove that they know the listener's one-time key, without sending it: the dialler sends its rank and a nonce, the listener answers with
 * a nonce and HMAC-SHA256(key, "L" ‖ both), the dialler with HMAC-SHA256(key, "D" ‖ both).
 */
final class LinkHandshake {
    private static final int NONCE = 16;
    private static final int PROOF = 32;
    private static final int PATIENCE_MILLIS = 5000;

    private LinkHandshake() {}

    /** @return the rank that called. @throws IOException where it does not know the key */
    static int accept(SocketChannel channel, byte[] key, int self) throws IOException {
        try (var _ = new TimeLimit(channel)) {
            ByteBuffer hello = read(channel, 8 + NONCE);
            int from = hello.getInt();
            int to = hello.getInt();
            byte[] theirs = take(hello, NONCE);
            if (to != self) {
                throw new IOException("meant for rank %d, this is rank %d".formatted(to, self));
            }
            byte[] ours = nonce();
            write(channel, ours, prove(key, 'L', from, theirs, ours));
            check(take(read(channel, PROOF), PROOF), prove(key, 'D', from, theirs, ours));
            return from;
        }
    }

    /** @throws IOException where the other end does not know the key */
    static void dial(SocketChannel channel, byte[] key, int self, int peer) throws IOException {
        try (var _ = new TimeLimit(channel)) {
            byte[] ours = nonce();
            write(channel, ByteBuffer.allocate(8).putInt(self).putInt(peer).array(), ours);
            ByteBuffer answer = read(channel, NONCE + PROOF);
            byte[] theirs = take(answer, NONCE);
            check(take(answer, PROOF), prove(key, 'L', self, ours, theirs));
            write(channel, prove(key, 'D', self, ours, theirs));
        }
    }

    /** Closes the channel where the handshake takes too long. */
    private static final class TimeLimit implements AutoCloseable {
        private final Thread watch;

        TimeLimit(SocketChannel channel) {
            watch = Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(PATIENCE_MILLIS);
                    channel.close();
                } catch (InterruptedException e) {
                    return; // done in time
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
        }

        @Override
        public void close() {
            watch.interrupt();
        }
    }

    private static byte[] nonce() {
        byte[] nonce = new byte[NONCE];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    private static byte[] prove(byte[] key, char side, int rank, byte[] dialler, byte[] listener) throws IOException {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((byte) side);
            mac.update(ByteBuffer.allocate(4).putInt(rank).array());
            mac.update(dialler);
            return mac.doFinal(listener);
        } catch (GeneralSecurityException e) {
            throw new IOException("no HMAC-SHA256 in this Java", e);
        }
    }

    private static void check(byte[] given, byte[] expected) throws IOException {
        if (!MessageDigest.isEqual(given, expected)) {
            throw new IOException("the other end does not know the instance's key");
        }
    }

    private static byte[] take(ByteBuffer from, int count) {
        byte[] bytes = new byte[count];
        from.get(bytes);
        return bytes;
    }

    private static ByteBuffer read(SocketChannel channel, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("closed during the handshake");
            }
        }
        return buffer.flip();
    }

    private static void write(SocketChannel channel, byte[]... parts) throws IOException {
        for (byte[] part : parts) {
            ByteBuffer buffer = ByteBuffer.wrap(part);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
    }
}
