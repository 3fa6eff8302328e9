package skulk.kernel.rank;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryNotificationInfo;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import javax.management.NotificationEmitter;
import skulk.kernel.telemetry.ProcessMemory;

/**
 * Collects all of the heap when it holds more than twice what was left by the collection before. The serial collector empties the old generation only when the heap has
 * reached its limit, an eighth of the machine, so that a rank would hold gigabytes of garbage after some days. Signalled by the JVM, on a thread of its own; a collection of a
 * rank's heap takes some tens of milliseconds.
 */
final class HeapKeeper {
    /** Bytes of garbage that are not worth a collection. */
    private static final long SLACK = 32L << 20;

    private final MemoryPoolMXBean old;

    private HeapKeeper(MemoryPoolMXBean old) {
        this.old = old;
    }

    /** Keeps this process's heap until it ends; does nothing with a collector whose old generation tells no threshold. */
    static void start() {
        ProcessMemory.oldGeneration()
                .filter(MemoryPoolMXBean::isUsageThresholdSupported)
                .ifPresent(pool -> new HeapKeeper(pool).watch());
    }

    private void watch() {
        NotificationEmitter emitter = (NotificationEmitter) ManagementFactory.getMemoryMXBean();
        emitter.addNotificationListener(
                (notification, context) ->
                        Thread.ofPlatform().daemon().name("heap-keeper").start(this::collect),
                notification -> notification.getType().equals(MemoryNotificationInfo.MEMORY_THRESHOLD_EXCEEDED),
                this);
        old.setUsageThreshold(threshold(0, old.getUsage().getMax()));
    }

    private void collect() {
        System.gc();
        MemoryUsage usage = old.getUsage();
        old.setUsageThreshold(threshold(usage.getUsed(), usage.getMax()));
    }

    /**
     * What the old generation may hold until the next collection.
     *
     * @param live bytes left by the collection before
     * @param max its limit in bytes; negative where there is none
     */
    static long threshold(long live, long max) {
        long most = 2 * live + SLACK;
        return max < 0 ? most : Math.min(most, max);
    }
}
