package skulk.api.dialect;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import skulk.api.http.EventStream;

/**
 * A stream that is never silent for long: whatever the producer is waiting for, a keep-alive goes out. The timer's thread only looks at the clock; sending,
 * which can block on a slow client, happens on a virtual thread of its own.
 */
public final class LiveStream implements AutoCloseable {
    private static final int LOOKS_PER_SILENCE = 5;

    private final EventStream out;
    private final ReentrantLock lock = new ReentrantLock();
    private final Supplier<String> keepAlive;
    private final long silenceNanos;
    private final ScheduledFuture<?> ticks;
    private volatile long lastSent = System.nanoTime();
    private boolean closed;

    /**
     * @param silence the longest time without a byte
     * @param keepAlive what fills the silence at this moment; called from any thread
     */
    public LiveStream(EventStream out, ScheduledExecutorService timer, Duration silence, Supplier<String> keepAlive) {
        this.out = out;
        this.keepAlive = keepAlive;
        long look = silence.toNanos() / LOOKS_PER_SILENCE;
        this.silenceNanos = silence.toNanos() - look;
        this.ticks = timer.scheduleAtFixedRate(this::look, look, look, TimeUnit.NANOSECONDS);
    }

    /** @throws EventStream.ClientGone where nobody listens any more */
    public void send(String frame) {
        lock.lock();
        try {
            out.send(frame);
            lastSent = System.nanoTime();
        } finally {
            lock.unlock();
        }
    }

    public void send(List<String> frames) {
        frames.forEach(this::send);
    }

    private boolean silent() {
        return System.nanoTime() - lastSent >= silenceNanos;
    }

    private void look() {
        if (silent()) {
            Thread.startVirtualThread(this::sendKeepAlive);
        }
    }

    private void sendKeepAlive() {
        if (!lock.tryLock()) {
            return; // the producer is sending, so it is not silent
        }
        try {
            if (!closed && silent()) {
                out.send(keepAlive.get());
                lastSent = System.nanoTime();
            }
        } catch (EventStream.ClientGone gone) {
            ticks.cancel(false); // the stream's own onGone has told the producer
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        ticks.cancel(false);
        lock.lock();
        try {
            closed = true;
            out.close();
        } finally {
            lock.unlock();
        }
    }
}
