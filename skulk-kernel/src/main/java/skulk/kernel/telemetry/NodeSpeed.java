package skulk.kernel.telemetry;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.cluster.NodeInfo.Resources;
import skulk.api.json.JsonObject;

/**
 * How fast this node is, for forecasts: memory read by all threads, measured once soon after the start, and the engine's kernels, as ranks on this node measure them
 * when they load. Safe for use by several threads.
 */
public final class NodeSpeed implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NodeSpeed.class.getName());
    /** Beyond the caches of most processors; given back afterwards. */
    private static final long BYTES = 96L << 20;

    private static final long CHUNK = 1L << 20;
    private static final int PASSES = 4;
    /** The node's own start comes first. */
    private static final Duration DELAY = Duration.ofSeconds(2);

    private volatile Resources resources;
    private final Thread measuring;

    /** Begins to measure, soon. @param unmeasured what the node offers */
    public NodeSpeed(Resources unmeasured) {
        resources = unmeasured;
        measuring = Thread.ofPlatform()
                .name("read-bandwidth")
                .daemon()
                .priority(Thread.MIN_PRIORITY)
                .start(this::measure);
    }

    /** What the node offers, as fast as is known now. */
    public Resources resources() {
        return resources;
    }

    /** What a rank of this node reports of itself, see {@code speed} there; the newest word counts. */
    public synchronized void heard(JsonObject report) {
        report.object("speed").ifPresent(speed -> {
            double decode = speed.number("decodeBytesPerSecond").orElse(0.0);
            double prompt = speed.number("promptProductsPerSecond").orElse(0.0);
            if (decode > 0 && prompt > 0) {
                Resources r = resources;
                resources = new Resources(
                        r.backends(),
                        r.participation(),
                        r.dataTransport(),
                        r.readBandwidth(),
                        r.threads(),
                        decode,
                        prompt);
            }
        });
    }

    private void measure() {
        try {
            Thread.sleep(DELAY);
            double bandwidth = readBandwidth(resources.threads());
            synchronized (this) {
                Resources r = resources;
                resources = new Resources(
                        r.backends(),
                        r.participation(),
                        r.dataTransport(),
                        bandwidth,
                        r.threads(),
                        r.decodeBandwidth(),
                        r.promptRate());
            }
        } catch (InterruptedException e) {
            return; // closed
        } catch (OutOfMemoryError e) {
            LOG.log(System.Logger.Level.WARNING, "read bandwidth is not measured: {0}", e.getMessage());
        }
    }

    /** Bytes per second that so many threads read together, the best of a few passes; takes about a tenth of a second. */
    static double readBandwidth(int threads) throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = arena.allocate(BYTES, 64);
            data.fill((byte) 1);
            double best = 0;
            for (int pass = 0; pass < PASSES; pass++) {
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
