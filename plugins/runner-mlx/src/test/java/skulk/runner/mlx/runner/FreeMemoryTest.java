package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeMemoryTest {
    @TempDir
    Path folder;

    private boolean scarce(String text) throws IOException {
        return new FreeMemory(Files.writeString(folder.resolve("meminfo"), text)).getAsBoolean();
    }

    @Test
    void aTwentiethIsLeftToOthers() throws IOException {
        assertFalse(scarce("MemTotal:       1000 kB\nMemFree:     1 kB\nMemAvailable:    51 kB\n"));
        assertTrue(scarce("MemTotal:       1000 kB\nMemFree:     1 kB\nMemAvailable:    49 kB\n"));
    }

    @Test
    void whereNobodyTellsThereIsEnough() {
        assertFalse(new FreeMemory(folder.resolve("none")).getAsBoolean());
    }
}
