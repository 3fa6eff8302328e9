package skulk.runner.mlx.shard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import skulk.api.RankLinks;

/**
 * Both directions between this rank and another, in values instead of segments; floats travel in little-endian order. Buffers are reused: nothing is allocated
 * once the largest message was seen. One thread uses it at a time.
 */
final class Wire implements AutoCloseable {
    /**
     * How long a rank looks for a message before it sleeps. Ranks of a split layer are less than this apart; waking from sleep takes 40 to 90 microseconds on a
     * virtual machine, which a token would pay about forty times.
     */
    private static final long LOOK_NANOS = 300_000;

    private static final int SPINS = 64;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RankLinks links;
    private final int peer;
    private final Outbox outbox;
    private MemorySegment incoming = Arena.ofAuto().allocate(Outbox.INLINE_BYTES, 64);

    Wire(RankLinks links, int peer) {
        this.links = links;
        this.peer = peer;
        this.outbox = new Outbox(links, peer);
    }

    void send(float[] values, int offset, int length) {
        outbox.send(4L * length, to -> MemorySegment.copy(values, offset, to, FLOAT, 0, length));
    }

    void receive(float[] values, int offset, int length) {
        MemorySegment message = receive(4L * length);
        MemorySegment.copy(message, FLOAT, 0, values, offset, length);
    }

    void send(byte[] bytes, int offset, int length) {
        outbox.send(length, to -> MemorySegment.copy(bytes, offset, to, ValueLayout.JAVA_BYTE, 0, length));
    }

    void receive(byte[] bytes, int offset, int length) {
        MemorySegment message = receive(length);
        MemorySegment.copy(message, ValueLayout.JAVA_BYTE, 0, bytes, offset, length);
    }

    private MemorySegment receive(long bytes) {
        if (incoming.byteSize() < bytes) {
            incoming = Arena.ofAuto().allocate(Long.highestOneBit(bytes) * 2, 64);
        }
        MemorySegment message = incoming.asSlice(0, bytes);
        try {
            look();
            links.receive(peer, message);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        return message;
    }

    /** Gives the core to whoever else wants it while it looks. */
    private void look() throws IOException {
        long end = System.nanoTime() + LOOK_NANOS;
        for (int looks = 0; !links.arrived(peer) && System.nanoTime() - end < 0; looks++) {
            if (looks < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    @Override
    public void close() {
        outbox.close();
    }
}
