package skulk.kernel.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.MemoryPoolMXBean;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import skulk.kernel.telemetry.ProcessMemory;

class HeapKeeperTest {
    private static final int MB = 1 << 20;

    @Test
    void letsGarbageGrowToTwiceWhatLives() {
        assertEquals(32 * MB, HeapKeeper.threshold(0, -1));
        assertEquals(82 * MB, HeapKeeper.threshold(25 * MB, 512 * MB));
        assertEquals(64 * MB, HeapKeeper.threshold(40 * MB, 64 * MB));
    }

    @Test
    void holdsTheHeapFarBelowItsLimit() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Xmx512m",
                        "-Xmn6m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path") + ":" + System.getProperty("jdk.module.path", ""),
                        Litter.class.getName()))
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), out);
        assertTrue(Integer.parseInt(out) < 300, "MB in use at most: " + out);
    }

    /** Promotes a gigabyte of arrays that live for a while, one per millisecond, and prints how many megabytes the old generation held at most. */
    static final class Litter {
        private Litter() {}

        public static void main(String[] arguments) throws InterruptedException {
            HeapKeeper.start();
            MemoryPoolMXBean old = ProcessMemory.oldGeneration().orElseThrow();
            byte[][] alive = new byte[16][];
            long most = 0;
            for (int i = 0; i < 1024; i++) {
                alive[i % alive.length] = new byte[MB];
                most = Math.max(most, old.getUsage().getUsed());
                Thread.sleep(1);
            }
            System.out.println(most / MB);
        }
    }
}
