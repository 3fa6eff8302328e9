package skulk.kernel.storage;

import java.util.function.LongSupplier;

/** A bandwidth limit shared by all transfers. Safe for use by several threads. */
final class Throttle {
    private final long bytesPerSecond;
    private final LongSupplier nanos;
    private long nextFree;

    /** @param bytesPerSecond 0 = unlimited */
    Throttle(long bytesPerSecond, LongSupplier nanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanos = nanos;
        this.nextFree = nanos.getAsLong();
    }

    /** How long to wait before these bytes may be used, nanoseconds; books them. Unused time is forgotten after a second. */
    synchronized long book(int bytes) {
        if (bytesPerSecond == 0) {
            return 0;
        }
        long now = nanos.getAsLong();
        nextFree = Math.max(nextFree, now - 1_000_000_000L) + (long) (bytes * 1e9 / bytesPerSecond);
        return Math.max(0, nextFree - now);
    }
}
