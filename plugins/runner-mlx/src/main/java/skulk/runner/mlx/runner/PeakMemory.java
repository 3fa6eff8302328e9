package skulk.runner.mlx.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The largest resident memory of this process. */
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private PeakMemory() {}

    /** In bytes; where the system does not tell, what the heap takes now. */
    static long bytes() {
        try {
            List<String> lines = Files.isReadable(STATUS) ? Files.readAllLines(STATUS) : List.of();
            for (String line : lines) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException | NumberFormatException e) {
            // not this kind of system: the heap it is
        }
        return Runtime.getRuntime().totalMemory();
    }
}
