package skulk.runner.mlx.shard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import skulk.api.RankLinks;

/**
 * Messages to one other rank, in order. Small ones are written by the caller, which costs no change of threads; large ones by a thread of their own, so that two
 * ranks that send to each other, or around a ring, never wait for each other with full socket buffers. Buffers are reused. One thread sends at a time.
 */
final class Outbox implements AutoCloseable {
    /** Socket buffers hold several messages of this size, so that writing one does not wait for the reader. */
    static final long INLINE_BYTES = 32 << 10;

    /** Messages that may wait before the sender does: a group never has more steps under way than ranks. */
    private static final int MOST_QUEUED = 16;

    private final RankLinks links;
    private final int peer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Parcel> queued = new ArrayDeque<>();
    private final Deque<MemorySegment> spare = new ArrayDeque<>();
    private final MemorySegment small = allocate(INLINE_BYTES);
    private Optional<Thread> writer = Optional.empty();
    private Optional<IOException> failure = Optional.empty();
    private int unsent;
    private boolean closed;

    private record Parcel(MemorySegment buffer, long bytes) {}

    Outbox(RankLinks links, int peer) {
        this.links = links;
        this.peer = peer;
    }

    /**
     * Sends {@code bytes} bytes.
     *
     * @param fill writes them; called before this returns
     * @throws UncheckedIOException where the link is gone, now or at an earlier message
     */
    void send(long bytes, Consumer<MemorySegment> fill) {
        try {
            if (bytes <= INLINE_BYTES && idle()) {
                MemorySegment message = small.asSlice(0, bytes);
                fill.accept(message);
                links.send(peer, message);
            } else {
                queue(bytes, fill);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private boolean idle() throws IOException {
        lock.lock();
        try {
            check();
            return unsent == 0;
        } finally {
            lock.unlock();
        }
    }

    private void check() throws IOException {
        if (failure.isPresent()) {
            throw new IOException(failure.get().getMessage(), failure.get());
        }
        if (closed) {
            throw new IOException("the link to rank %d is closed".formatted(peer));
        }
    }

    private void queue(long bytes, Consumer<MemorySegment> fill) throws IOException {
        MemorySegment buffer = buffer(bytes);
        fill.accept(buffer.asSlice(0, bytes));
        lock.lock();
        try {
            check();
            queued.add(new Parcel(buffer, bytes));
            unsent++;
            if (writer.isEmpty()) {
                writer = Optional.of(
                        Thread.ofPlatform().name("to-rank-" + peer).daemon().start(this::write));
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private MemorySegment buffer(long bytes) throws IOException {
        lock.lock();
        try {
            while (unsent >= MOST_QUEUED) {
                check();
                changed.awaitUninterruptibly();
            }
            check();
            MemorySegment free = spare.poll();
            return free != null && free.byteSize() >= bytes
                    ? free
                    : allocate(Math.max(2 * INLINE_BYTES, Long.highestOneBit(bytes) * 2));
        } finally {
            lock.unlock();
        }
    }

    /** Freed by the collector when nobody writes it any more. */
    private static MemorySegment allocate(long bytes) {
        return Arena.ofAuto().allocate(bytes, 64);
    }

    private void write() {
        try {
            for (Optional<Parcel> next = take(); next.isPresent(); next = take()) {
                Parcel parcel = next.get();
                links.send(peer, parcel.buffer.asSlice(0, parcel.bytes));
                sent(parcel);
            }
        } catch (IOException e) {
            lock.lock();
            try {
                failure = Optional.of(e);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private Optional<Parcel> take() {
        lock.lock();
        try {
            while (queued.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            return Optional.ofNullable(queued.poll());
        } finally {
            lock.unlock();
        }
    }

    private void sent(Parcel parcel) {
        lock.lock();
        try {
            spare.push(parcel.buffer);
            unsent--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** What is queued is still sent. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
