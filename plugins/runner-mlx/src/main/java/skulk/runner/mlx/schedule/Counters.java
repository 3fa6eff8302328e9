package skulk.runner.mlx.schedule;

import java.util.concurrent.atomic.LongAdder;

/** What the scheduler has done since it started; read from any thread. Histograms are written by the driver alone. */
final class Counters {
    final LongAdder steps = new LongAdder();
    final LongAdder promptTokens = new LongAdder();
    final LongAdder cachedTokens = new LongAdder();
    final LongAdder outputTokens = new LongAdder();
    final LongAdder acceptedDrafts = new LongAdder();
    final LongAdder rejectedDrafts = new LongAdder();
    final LongAdder finished = new LongAdder();
    final LongAdder failed = new LongAdder();
    final LongAdder cancelled = new LongAdder();
    final LongAdder overloaded = new LongAdder();
    final LongAdder preempted = new LongAdder();
    final Histogram queueWait = new Histogram(Histogram.FIRST_TOKEN);
    final Histogram firstToken = new Histogram(Histogram.FIRST_TOKEN);
    final Histogram betweenTokens = new Histogram(Histogram.BETWEEN_TOKENS);
    final Histogram batch = new Histogram(Histogram.BATCH);
}
