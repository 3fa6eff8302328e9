package skulk.kernel.telemetry;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import skulk.api.json.JsonObject;

/**
 * What this process holds.
 *
 * @param residentBytes of the whole process as the system counts it; 0 where it does not tell
 * @param heapBytes in use on the heap, garbage included
 * @param heapLiveBytes left on the heap by the newest collection; 0 before the first
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

    private static long live() {
        Set<String> heap = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .map(pool -> pool.getName())
                .collect(Collectors.toSet());
        Optional<GcInfo> newest = ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class).stream()
                .flatMap(bean -> Optional.ofNullable(bean.getLastGcInfo()).stream())
                .max(Comparator.comparingLong(GcInfo::getEndTime));
        return newest.map(info -> info.getMemoryUsageAfterGc().entrySet().stream()
                        .filter(pool -> heap.contains(pool.getKey()))
                        .map(Map.Entry::getValue)
                        .mapToLong(usage -> usage.getUsed())
                        .sum())
                .orElse(0L);
    }

    public JsonObject toJson() {
        return JsonObject.builder()
                .put("residentBytes", residentBytes)
                .put("heapBytes", heapBytes)
                .put("heapLiveBytes", heapLiveBytes)
                .build();
    }
}
