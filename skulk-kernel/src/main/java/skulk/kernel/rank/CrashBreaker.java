package skulk.kernel.rank;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import skulk.api.cluster.InstanceId;

/** Says when an instance crashes too often to go on: three failures in sixty seconds (contract section 10). Used by one thread at a time. */
final class CrashBreaker {
    static final int FAILURES = 3;
    static final Duration WINDOW = Duration.ofSeconds(60);

    private final Map<InstanceId, Deque<Long>> failures = new HashMap<>();

    /** Notes a failure; true where that was one too many. */
    synchronized boolean failed(InstanceId instance, long nowNanos) {
        Deque<Long> times = failures.computeIfAbsent(instance, i -> new ArrayDeque<>());
        times.addLast(nowNanos);
        while (nowNanos - times.getFirst() > WINDOW.toNanos()) {
            times.removeFirst();
        }
        return times.size() >= FAILURES;
    }

    synchronized void forget(InstanceId instance) {
        failures.remove(instance);
    }
}
