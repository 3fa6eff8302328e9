package skulk.kernel.storage;

import java.time.Duration;

/**
 * How hard transfers try.
 *
 * @param parallel ranges of one model that are fetched at a time
 * @param attempts failures in a row, without one byte between them, after which a source is given up
 * @param firstPause wait after the first failure; doubles with each further one up to {@link #MAX_PAUSE}
 * @param bytesPerSecond of all transfers together; 0 = unlimited
 */
public record TransferLimits(int parallel, int attempts, Duration firstPause, long bytesPerSecond) {
    static final Duration MAX_PAUSE = Duration.ofSeconds(15);

    /** Four ranges at a time; gives up after about a minute of silence, long enough for a store host to restart. */
    public static final TransferLimits DEFAULT = new TransferLimits(4, 8, Duration.ofMillis(500), 0);

    /** The wait after this many failures in a row. */
    Duration pause(int failures) {
        Duration pause = firstPause.multipliedBy(1L << Math.min(failures - 1, 20));
        return pause.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : pause;
    }
}
