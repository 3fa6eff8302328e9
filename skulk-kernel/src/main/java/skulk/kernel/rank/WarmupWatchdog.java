package skulk.kernel.rank;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Ends the process where warm-up does not come back: a wedged device can park it forever, in native code that no interrupt reaches (runbook, "A wedged GPU vs. a
 * crashed process").
 */
final class WarmupWatchdog {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("warmup-watchdog").daemon().factory());

    void start(Duration deadline, Thread warming, ToRank.Begin rank) {
        timer.schedule(() -> overrun(deadline, warming, rank), deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop() {
        timer.shutdownNow();
    }

    private static void overrun(Duration deadline, Thread warming, ToRank.Begin rank) {
        StringBuilder text = new StringBuilder()
                .append("CRITICAL: warm-up of %s (rank %d of %d) ran over its deadline of %.1f s and is stuck. "
                        .formatted(
                                rank.instance().modelId(),
                                rank.shard().deviceRank(),
                                rank.shard().worldSize(),
                                deadline.toMillis() / 1e3))
                .append("This process exits with code %d and is not started again. ".formatted(Exit.WEDGED))
                .append("If this line comes back on this machine, its GPU is wedged: reboot the machine. ")
                .append("If the machine is merely slow, raise SKULK_WARMUP_DEADLINE_SECONDS. Stuck at:");
        for (StackTraceElement frame : warming.getStackTrace()) {
            text.append("\n    at ").append(frame);
        }
        System.getLogger(WarmupWatchdog.class.getName()).log(System.Logger.Level.ERROR, text.toString());
        Runtime.getRuntime().halt(Exit.WEDGED);
    }
}
