package skulk.runner.mlx.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/**
 * Whether the machine is short of memory, looked up now and then. Several instances and other programs share a machine, and a budget that was right when a model was
 * loaded may be too large later: from then on caches live on what they have. One thread.
 */
final class FreeMemory implements BooleanSupplier {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final long LOOK_NANOS = 250_000_000L;
    /** Share of the machine's memory that is left to others. */
    private static final double RESERVE = 0.05;

    private final Path source;
    private long lookedAt = System.nanoTime() - LOOK_NANOS;
    private boolean scarce;

    FreeMemory() {
        this(MEMINFO);
    }

    /** @param source in the format of {@code /proc/meminfo}; where it cannot be read, memory counts as enough */
    FreeMemory(Path source) {
        this.source = source;
    }

    @Override
    public boolean getAsBoolean() {
        long now = System.nanoTime();
        if (now - lookedAt >= LOOK_NANOS) {
            lookedAt = now;
            scarce = look();
        }
        return scarce;
    }

    private boolean look() {
        long total = 0;
        long available = Long.MAX_VALUE;
        try {
            for (String line : Files.readAllLines(source)) {
                if (line.startsWith("MemTotal:")) {
                    total = kilobytes(line);
                } else if (line.startsWith("MemAvailable:")) {
                    available = kilobytes(line);
                }
            }
        } catch (IOException e) {
            return false; // another system: the budget alone counts
        }
        return available < total * RESERVE;
    }

    private static long kilobytes(String line) {
        return Long.parseLong(line.replaceAll("\\D", ""));
    }
}
