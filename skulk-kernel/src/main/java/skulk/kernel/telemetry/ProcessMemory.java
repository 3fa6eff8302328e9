package skulk.kernel.telemetry;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import skulk.api.json.JsonObject;

/**
 * What this process holds.
 *
 * @param residentBytes of the whole process as the system counts it; 0 where it does not tell
 * @param heapBytes in use on the heap, garbage included
 * @param heapLiveBytes left on the heap by the newest collection of all of it; 0 before the first
 */
public record ProcessMemory(long residentBytes, long heapBytes, long heapLiveBytes) {
    private static final Path STATUS = Path.of("/proc/self/status");

    public static ProcessMemory now() {
        return new ProcessMemory(
                resident(),
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                live());
    }

    private static long resident() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return 0; // not Linux
        }
        return 0;
    }

    /** What long-lived objects take, as the newest full collection found it: pools of young ones are emptied all the time. */
    private static long live() {
        return oldGeneration()
                .map(MemoryPoolMXBean::getCollectionUsage)
                .map(MemoryUsage::getUsed)
                .orElse(0L);
    }

    /** Where this process's long-lived objects are; empty with a collector that has no such pool. */
    public static Optional<MemoryPoolMXBean> oldGeneration() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .filter(pool -> pool.getName().contains("Old") || pool.getName().contains("Tenured"))
                .findFirst();
    }

    public JsonObject toJson() {
        return JsonObject.builder()
                .put("residentBytes", residentBytes)
                .put("heapBytes", heapBytes)
                .put("heapLiveBytes", heapLiveBytes)
                .build();
    }
}
