package skulk.kernel.http;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Looks after one read of a body on a connection that many requests share. There a read waits for a queue, not for the socket: neither a deadline nor the end of
 * the connection would end it. This cuts the connection at the deadline, and interrupts the reader when the connection is gone.
 */
final class BodyWatch implements Guard.BodyWait {
    private final Thread reader = Thread.currentThread();
    private final CompletableFuture<Void> deadline = new CompletableFuture<>();
    private final Runnable unregister;
    private boolean over;
    private boolean interrupted;

    private BodyWatch(Guard guard, Duration patience) {
        deadline.orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
                .whenCompleteAsync(
                        (done, late) -> {
                            if (late != null) {
                                guard.cut();
                            }
                        },
                        task -> Thread.ofVirtual().name("http-body-deadline").start(task));
        unregister = guard.onGone(this::wake);
    }

    /** Watches the calling thread's reading from now until {@link #close}. */
    static BodyWatch begin(Guard guard, Duration patience) {
        return new BodyWatch(guard, patience);
    }

    private synchronized void wake() {
        if (!over) {
            interrupted = true;
            reader.interrupt();
        }
    }

    @Override
    public void close() {
        deadline.complete(null);
        unregister.run();
        synchronized (this) {
            over = true;
            if (interrupted) {
                Thread.interrupted(); // it was meant for the read alone
            }
        }
    }
}
