package skulk.storage.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Gives a body up when a read waits too long: the JDK's client has no time limit of its own there. Read by one thread. */
final class StallGuard extends FilterInputStream {
    private final Duration patience;
    private final ScheduledFuture<?> check;
    private volatile long waitingSince = Long.MAX_VALUE;
    private volatile boolean stalled;

    StallGuard(InputStream in, Duration patience, ScheduledExecutorService watch) {
        super(in);
        this.patience = patience;
        long interval = Math.max(10, patience.toMillis() / 4);
        this.check = watch.scheduleWithFixedDelay(this::look, interval, interval, TimeUnit.MILLISECONDS);
    }

    private void look() {
        long since = waitingSince;
        if (since != Long.MAX_VALUE && System.nanoTime() - since > patience.toNanos()) {
            stalled = true;
            try {
                in.close(); // wakes the reader
            } catch (IOException e) {
                check.cancel(false);
            }
        }
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        waitingSince = System.nanoTime();
        try {
            int n = super.read(target, offset, length);
            if (stalled) {
                throw stall();
            }
            return n;
        } catch (IOException e) {
            throw stalled ? stall() : e;
        } finally {
            waitingSince = Long.MAX_VALUE;
        }
    }

    private IOException stall() {
        return new IOException("no byte for %.1f s".formatted(patience.toMillis() / 1e3));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() throws IOException {
        check.cancel(false);
        super.close();
    }
}
