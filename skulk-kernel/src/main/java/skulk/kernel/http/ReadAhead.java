package skulk.kernel.http;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The bytes of a connection, read one chunk ahead of their use by a virtual thread of its own. That gives two things a plain blocking read cannot: a deadline
 * for each read, and word of the client's leaving while a handler is computing and nobody reads.
 */
final class ReadAhead implements Supplier<byte[]> {
    private static final long NONE = Long.MAX_VALUE;

    private final Supplier<byte[]> source;
    private final Runnable ended;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Optional<byte[]> chunk = Optional.empty();
    private boolean end;
    private boolean timedOut;
    private long deadline = NONE;
    private Runnable onData = () -> {};

    /** @param ended runs once when the other side has closed or the connection broke */
    ReadAhead(Supplier<byte[]> source, Runnable ended) {
        this.source = source;
        this.ended = ended;
    }

    void start() {
        Thread.ofVirtual().name("http-read").start(this::pump);
    }

    private void pump() {
        try {
            for (byte[] next = source.get(); next != null; next = source.get()) {
                if (next.length > 0 && !offer(next)) {
                    break;
                }
            }
        } catch (RuntimeException e) {
            // the connection broke or was closed under the read: the end all the same
        }
        lock.lock();
        try {
            end = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        ended.run();
    }

    private boolean offer(byte[] next) {
        lock.lock();
        try {
            while (chunk.isPresent() && !end) {
                changed.awaitUninterruptibly();
            }
            chunk = Optional.of(next);
            changed.signalAll();
            return !end;
        } finally {
            lock.unlock();
        }
    }

    /** Sets the time by which data must come; {@code onData} runs when it does. */
    void expect(long nanosFromNow, Runnable action) {
        lock.lock();
        try {
            deadline = System.nanoTime() + nanosFromNow;
            onData = action;
            changed.signalAll(); // on a connection that many requests share the reader waits already
        } finally {
            lock.unlock();
        }
    }

    /** Waits for data as long as it takes. */
    void expectNothing() {
        lock.lock();
        try {
            deadline = NONE;
            onData = () -> {};
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The next bytes, or null at the end, past the deadline and on an interrupt, as Helidon's readers have it. */
    @Override
    public byte[] get() {
        lock.lock();
        try {
            while (chunk.isEmpty() && !end) {
                if (!await()) {
                    timedOut = true;
                    return null;
                }
            }
            if (chunk.isEmpty()) {
                return null;
            }
            byte[] taken = chunk.get();
            chunk = Optional.empty();
            changed.signalAll();
            onData.run();
            return taken;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } finally {
            lock.unlock();
        }
    }

    private boolean await() throws InterruptedException {
        if (deadline == NONE) {
            changed.await();
            return true;
        }
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            return false;
        }
        changed.await(
                left,
                TimeUnit.NANOSECONDS); // whether the deadline has passed is asked next time: it may have been moved
        return true;
    }

    /** Whether a read has run into its deadline. */
    boolean timedOut() {
        lock.lock();
        try {
            return timedOut;
        } finally {
            lock.unlock();
        }
    }

    boolean atEnd() {
        lock.lock();
        try {
            return end;
        } finally {
            lock.unlock();
        }
    }

    /** Lets the pump go; later reads are at the end. */
    void stop() {
        lock.lock();
        try {
            end = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
