package skulk.kernel.security;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How often an address may make this node work out a slow hash: a few times at once, then one every few seconds, so that guessing is slow and cheap to refuse.
 * Safe for use by several threads.
 */
final class Attempts {
    private static final int BURST = 10;
    private static final long PERIOD_NANOS = Duration.ofSeconds(6).toNanos();
    /** Addresses remembered; the longest unseen one is forgotten first. */
    private static final int ADDRESSES = 4096;

    private final LongSupplier nanoTime;
    private final Map<String, Long> full = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > ADDRESSES;
        }
    };

    Attempts(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Takes one attempt of an address; false where it has none left. */
    synchronized boolean take(String address) {
        long now = nanoTime.getAsLong();
        // kept is the time at which the address would have all its attempts again
        long again = full.getOrDefault(address, now);
        long from = again - now > 0 ? again : now;
        if (from - now > (BURST - 1) * PERIOD_NANOS) {
            return false;
        }
        full.put(address, from + PERIOD_NANOS);
        return true;
    }

    /** How long an address that has none left waits for the next. */
    static Duration pause() {
        return Duration.ofNanos(PERIOD_NANOS);
    }
}
