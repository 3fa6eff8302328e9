package skulk.runner.mlx.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import skulk.api.json.JsonObject;

/** What this machine is, and what this process takes of it. */
final class Machine {
    private static final Path CPU = Path.of("/proc/cpuinfo");
    private static final Path STATUS = Path.of("/proc/self/status");

    private Machine() {}

    static JsonObject describe() {
        JsonObject.Builder out = JsonObject.builder()
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("arch", System.getProperty("os.arch"))
                .putIfPresent("cpu", field(CPU, "model name"))
                .put("processors", (long) Runtime.getRuntime().availableProcessors())
                .put("java", System.getProperty("java.vm.version"));
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os) {
            out.put("memory_bytes", os.getTotalMemorySize());
        }
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0
                ? out.build()
                : out.put("load_average", Sample.round(load)).build();
    }

    /** Resident memory now; empty where the system does not tell. */
    static Optional<Long> residentBytes() {
        return field(STATUS, "VmRSS").map(v -> Long.parseLong(v.replaceAll("\\D", "")) * 1024);
    }

    /** The part of it that is pages of files: what programs and libraries are read from, and can be read from again. */
    static Optional<Long> mappedBytes() {
        return field(STATUS, "RssFile").map(v -> Long.parseLong(v.replaceAll("\\D", "")) * 1024);
    }

    private static Optional<String> field(Path file, String name) {
        if (!Files.isReadable(file)) {
            return Optional.empty();
        }
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith(name))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
