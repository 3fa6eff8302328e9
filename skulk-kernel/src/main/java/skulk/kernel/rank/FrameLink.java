package skulk.kernel.rank;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.Records;

/**
 * Frames over a Unix-domain socket: four bytes length (big-endian), then JSON of {@link Records}. Senders never wait for the other end: a thread of the link's own
 * writes, all that is queued at a time in one go.
 *
 * @param <O> what goes out
 * @param <I> what comes in
 */
final class FrameLink<O, I> implements AutoCloseable {
    /** A frame larger than this is a mistake or an attack. */
    static final int MAX_FRAME = 256 << 20;

    private final SocketChannel channel;
    private final Class<I> incoming;
    private final UnaryOperator<List<O>> merge;
    private final LinkedBlockingQueue<Optional<O>> outgoing = new LinkedBlockingQueue<>();
    private final Thread writer;

    /**
     * @param merge makes fewer frames of those that wait to go out together, keeping their order
     */
    FrameLink(SocketChannel channel, Class<I> incoming, UnaryOperator<List<O>> merge, String name) {
        this.channel = channel;
        this.incoming = incoming;
        this.merge = merge;
        this.writer = Thread.ofVirtual().name(name + "-writer").start(this::write);
    }

    /** Queues a frame; after {@link #close} it is dropped. */
    void send(O frame) {
        outgoing.add(Optional.of(frame));
    }

    /**
     * Reads frames on the calling thread until the other end closes.
     *
     * @throws IOException where the connection breaks or a frame is not one of ours
     */
    void read(Consumer<I> consumer) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(4);
        while (fill(header.clear())) {
            int length = header.getInt(0);
            if (length <= 0 || length > MAX_FRAME) {
                throw new IOException("frame of %d bytes".formatted(length));
            }
            ByteBuffer body = ByteBuffer.allocate(length);
            if (!fill(body)) {
                throw new IOException("connection ended inside a frame");
            }
            consumer.accept(decode(body.array()));
        }
    }

    private I decode(byte[] body) throws IOException {
        try {
            return Records.fromJson(Json.parse(body), incoming);
        } catch (JsonException e) {
            throw new IOException("frame not understood: " + e.getMessage(), e);
        }
    }

    private boolean fill(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                return false;
            }
        }
        return true;
    }

    private void write() {
        List<Optional<O>> batch = new ArrayList<>();
        try {
            boolean ended = false;
            while (!ended) {
                batch.add(outgoing.take());
                outgoing.drainTo(batch);
                ended = batch.stream().anyMatch(Optional::isEmpty);
                for (O frame :
                        merge.apply(batch.stream().flatMap(Optional::stream).toList())) {
                    byte[] body = Records.toJson(frame).toBytes();
                    ByteBuffer bytes = ByteBuffer.allocate(4 + body.length)
                            .putInt(body.length)
                            .put(body)
                            .flip();
                    while (bytes.hasRemaining()) {
                        channel.write(bytes);
                    }
                }
                batch.clear();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        } catch (IOException e) {
            close(); // the reader hears of it
        }
    }

    /** Writes what is queued, then nothing more; waits for that at most so long. */
    void finish(long millis) {
        outgoing.add(Optional.empty());
        try {
            writer.join(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        writer.interrupt();
        try {
            channel.close();
        } catch (IOException e) {
            System.getLogger(FrameLink.class.getName()).log(System.Logger.Level.DEBUG, "closing a rank's socket", e);
        }
    }
}
