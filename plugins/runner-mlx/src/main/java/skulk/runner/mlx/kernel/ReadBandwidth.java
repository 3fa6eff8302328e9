package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How fast threads read memory that no cache holds: the floor under decoding, which reads every weight once per token.
 */
public final class ReadBandwidth {
    private static final long BYTES = 256L << 20;
    private static final long PART = 1L << 20;
    private static final int PASSES = 12;

    private ReadBandwidth() {}

    /** Bytes per second that the pool's threads read together, the best of several passes; takes about a second. */
    public static double measure(WorkerPool pool) {
        try (NativeMemory memory = new NativeMemory()) {
            MemorySegment data = memory.reserve(BYTES);
            long[] sums = new long[pool.threads() * 8];
            pool.run(
                    (int) (BYTES / PART),
                    (part, worker) -> data.asSlice(part * PART, PART).fill((byte) 1));
            double best = 0;
            for (int pass = 0; pass < PASSES; pass++) {
                long start = System.nanoTime();
                pool.run((int) (BYTES / PART), (part, worker) -> sums[worker * 8] += sum(data, part * PART));
                best = Math.max(best, BYTES * 1e9 / (System.nanoTime() - start));
            }
            long total = 0;
            for (long sum : sums) {
                total += sum;
            }
            if (total != PASSES * (BYTES / 8) * 0x0101010101010101L) {
                throw new IllegalStateException("memory did not hold what was written");
            }
            return best;
        }
    }

    /** Four sums, so that adding does not hold up reading. */
    private static long sum(MemorySegment data, long from) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (long at = from; at < from + PART; at += 64) {
            a += data.get(ValueLayout.JAVA_LONG, at) + data.get(ValueLayout.JAVA_LONG, at + 8);
            b += data.get(ValueLayout.JAVA_LONG, at + 16) + data.get(ValueLayout.JAVA_LONG, at + 24);
            c += data.get(ValueLayout.JAVA_LONG, at + 32) + data.get(ValueLayout.JAVA_LONG, at + 40);
            d += data.get(ValueLayout.JAVA_LONG, at + 48) + data.get(ValueLayout.JAVA_LONG, at + 56);
        }
        return a + b + c + d;
    }
}
