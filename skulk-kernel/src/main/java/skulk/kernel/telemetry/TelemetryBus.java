package skulk.kernel.telemetry;

import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import skulk.api.Telemetry;
import skulk.api.TelemetrySink;
import skulk.api.telemetry.Reading;

/**
 * Takes readings from everybody and hands them to the metrics and the sinks on a thread of its own. Recording never waits: what comes faster than it is handled is
 * dropped and counted.
 */
public final class TelemetryBus implements Telemetry, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(TelemetryBus.class.getName());
    private static final int QUEUE = 16_384;

    private final BlockingQueue<Reading> queue = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicLong dropped = new AtomicLong();
    private final Metrics metrics = new Metrics();
    private final Supplier<List<TelemetrySink>> sinks;
    private final Thread thread;

    /** @param sinks asked for each reading */
    public TelemetryBus(Supplier<List<TelemetrySink>> sinks) {
        this.sinks = sinks;
        this.thread = Thread.ofPlatform().name("telemetry-bus").daemon().start(this::run);
    }

    @Override
    public void record(Reading reading) {
        if (!queue.offer(reading)) {
            dropped.incrementAndGet();
        }
    }

    /** Records at once, so that the next {@link #prometheus()} shows it. */
    public void set(Reading.Level level) {
        metrics.record(level);
    }

    /** Everything counted so far in Prometheus' text format, version 0.0.4. */
    public String prometheus() {
        metrics.record(new Reading.Level("skulk_telemetry_dropped", java.util.Map.of(), dropped.get()));
        return metrics.prometheus();
    }

    private void run() {
        try {
            while (true) {
                Reading reading = queue.take();
                metrics.record(reading);
                for (TelemetrySink sink : sinks.get()) {
                    tell(sink, reading);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private static void tell(TelemetrySink sink, Reading reading) {
        try {
            sink.record(reading);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "telemetry sink " + sink.name() + " failed", e);
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
