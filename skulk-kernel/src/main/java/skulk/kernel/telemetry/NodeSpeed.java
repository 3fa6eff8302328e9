package skulk.kernel.telemetry;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import skulk.api.cluster.EngineSpeed;
import skulk.api.cluster.NodeInfo.Resources;

/**
 * How fast this node is, for forecasts: memory read by all processors and the engine's kernels, measured once soon after the start, the kernels only where no recent start
 * has. Safe for use by several threads.
 */
public final class NodeSpeed implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NodeSpeed.class.getName());
    /** Beyond the caches of most processors; given back afterwards. */
    private static final long BYTES = 96L << 20;

    private static final long CHUNK = 1L << 20;
    /** As long as it takes until what reads is compiled, and then as much again. */
    private static final Duration PASSES = Duration.ofMillis(250);

    /** The node's own start comes first. */
    private static final Duration DELAY = Duration.ofSeconds(2);

    private final Optional<EngineGauge> gauge;
    private final BooleanSupplier idle;
    private volatile Resources resources;
    private final Thread measuring;

    /**
     * Begins to measure, soon.
     *
     * @param unmeasured what the node offers
     * @param gauge how the engine is measured; empty where it is not to be
     * @param idle whether no rank runs on this node, so that there is something to be measured
     */
    public NodeSpeed(Resources unmeasured, Optional<EngineGauge> gauge, BooleanSupplier idle) {
        this.gauge = gauge;
        this.idle = idle;
        resources = with(unmeasured, 0, gauge.flatMap(EngineGauge::known));
        measuring = Thread.ofPlatform()
                .name("node-speed")
                .daemon()
                .priority(Thread.MIN_PRIORITY)
                .start(this::measure);
    }

    private static Resources with(Resources r, double bandwidth, Optional<EngineSpeed> engine) {
        return new Resources(r.backends(), r.participation(), r.dataTransport(), bandwidth, r.threads(), engine);
    }

    /** What the node offers, as fast as is known now. */
    public Resources resources() {
        return resources;
    }

    private void measure() {
        try {
            Thread.sleep(DELAY);
            try (var _ = MachineLock.take()) {
                double bandwidth = readBandwidth(Runtime.getRuntime().availableProcessors());
                resources = with(resources, bandwidth, resources.engine());
            }
            if (gauge.isPresent() && gauge.get().stale() && idle.getAsBoolean()) {
                engine(gauge.get());
            }
        } catch (InterruptedException e) {
            return; // closed
        } catch (OutOfMemoryError e) {
            LOG.log(System.Logger.Level.WARNING, "read bandwidth is not measured: {0}", e.getMessage());
        }
    }

    private void engine(EngineGauge measured) throws InterruptedException {
        try {
            Optional<EngineSpeed> speed = measured.measure();
            if (speed.isPresent()) {
                resources = with(resources, resources.readBandwidth(), speed);
            }
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the engine is not measured, forecasts are guesses: {0}",
                    e.getMessage());
        }
    }

    /** Bytes per second that so many threads read together, the best of many passes; takes a quarter of a second. */
    static double readBandwidth(int threads) throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = arena.allocate(BYTES, 64);
            data.fill((byte) 1);
            double best = 0;
            long end = System.nanoTime() + PASSES.toNanos();
            while (best == 0 || System.nanoTime() < end) {
                long start = System.nanoTime();
                pass(data, threads);
                best = Math.max(best, BYTES * 1e9 / (System.nanoTime() - start));
            }
            return best;
        }
    }

    private static void pass(MemorySegment data, int threads) throws InterruptedException {
        AtomicLong next = new AtomicLong();
        AtomicBoolean equal = new AtomicBoolean(true);
        CountDownLatch done = new CountDownLatch(threads);
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            readers.add(Thread.ofPlatform().daemon().name("read-bandwidth-" + i).start(() -> {
                for (long from = next.getAndAdd(CHUNK); from < BYTES / 2; from = next.getAndAdd(CHUNK)) {
                    MemorySegment other = data.asSlice(BYTES / 2 + from, CHUNK);
                    // compares with wide registers, whatever the node's compiler does
                    if (data.asSlice(from, CHUNK).mismatch(other) >= 0) {
                        equal.set(false);
                    }
                }
                done.countDown();
            }));
        }
        done.await();
        for (Thread reader : readers) {
            reader.join(); // the memory is given back next
        }
        if (!equal.get()) {
            throw new IllegalStateException("memory did not hold what was written");
        }
    }

    @Override
    public void close() {
        measuring.interrupt();
    }
}
