package skulk.kernel.http;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import skulk.api.http.EventStream;

/**
 * A response in pieces. Senders put frames into a bounded buffer; a virtual thread of the stream's own writes and flushes them, so that a sender waits only
 * for a client that does not read, and for it no longer than the write timeout.
 */
final class HelidonStream implements EventStream {
    /** Bytes that wait for the client; at 100 bytes a token some ten thousand of them. */
    private static final int CAPACITY = 1 << 20;

    private final OutputStream out;
    private final Duration patience;
    private final Runnable cut;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Queue<byte[]> frames = new ArrayDeque<>();
    private final List<Runnable> goneActions = new ArrayList<>();
    private long waiting;
    private long progress;
    private boolean closing;
    private boolean finished;
    private boolean gone;

    /**
     * @param out of the response
     * @param patience how long the client may not read
     * @param cut breaks the connection under a write that hangs
     */
    HelidonStream(OutputStream out, Duration patience, Runnable cut) {
        this.out = out;
        this.patience = patience;
        this.cut = cut;
    }

    void start() {
        Thread.ofVirtual().name("http-write").start(this::write);
    }

    @Override
    public void send(String frame) {
        byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
        boolean stuck;
        lock.lock();
        try {
            stuck = !awaitRoom(bytes.length);
            if (!stuck) {
                if (gone || closing) {
                    throw new ClientGone(gone ? "the client has gone" : "the stream is closed");
                }
                frames.add(bytes);
                waiting += bytes.length;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (stuck) {
            leave();
            cut.run();
            throw new ClientGone("the client has not read for " + patience.toSeconds() + " s");
        }
    }

    private boolean awaitRoom(int bytes) {
        long left = patience.toNanos();
        long seen = progress;
        while (waiting > 0 && waiting + bytes > CAPACITY && !gone && !closing) {
            if (left <= 0) {
                return false;
            }
            try {
                left = changed.awaitNanos(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ClientGone("interrupted while the client did not read");
            }
            if (progress != seen) {
                seen = progress;
                left = patience.toNanos();
            }
        }
        return true;
    }

    private void write() {
        try (out) {
            for (List<byte[]> batch = next(); !batch.isEmpty(); batch = next()) {
                for (byte[] frame : batch) {
                    out.write(frame);
                }
                out.flush();
                written(batch);
            }
        } catch (IOException | RuntimeException e) {
            // Helidon wraps the socket's exception in several ways; all mean that nobody listens any more
            leave();
        } finally {
            lock.lock();
            try {
                finished = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** All frames that wait; empty when the stream is at its end. */
    private List<byte[]> next() {
        lock.lock();
        try {
            while (frames.isEmpty() && !closing && !gone) {
                changed.awaitUninterruptibly();
            }
            if (gone) {
                throw new UncheckedIOException(new IOException("gone"));
            }
            List<byte[]> batch = List.copyOf(frames);
            frames.clear();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void written(List<byte[]> batch) {
        lock.lock();
        try {
            batch.forEach(frame -> waiting -= frame.length);
            progress++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The client has gone: wakes every waiter and runs the actions, once. */
    void leave() {
        List<Runnable> actions;
        lock.lock();
        try {
            if (gone || finished) {
                return;
            }
            gone = true;
            actions = List.copyOf(goneActions);
            goneActions.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        actions.forEach(Runnable::run);
    }

    @Override
    public boolean gone() {
        lock.lock();
        try {
            return gone;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onGone(Runnable action) {
        lock.lock();
        try {
            if (!gone) {
                if (!closing) {
                    goneActions.add(action);
                }
                return;
            }
        } finally {
            lock.unlock();
        }
        action.run();
    }

    /** Writes what waits, then ends the response; a client that does not read is given the write timeout. */
    @Override
    public void close() {
        boolean stuck = false;
        lock.lock();
        try {
            closing = true;
            goneActions.clear();
            changed.signalAll();
            long left = patience.toNanos();
            while (!finished && !stuck) {
                left = changed.awaitNanos(left);
                stuck = left <= 0;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        if (stuck) {
            cut.run();
        }
    }
}
