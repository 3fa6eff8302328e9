package skulk.kernel.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.EngineSpeed;
import skulk.api.json.Records;

class EngineGaugeTest {
    private static final EngineSpeed SPEED =
            new EngineSpeed(List.of(new EngineSpeed.Format(4, true, 50e9, 70e9)), 40e-6, 20e9);

    @TempDir
    private Path temp;

    private EngineGauge gauge(String of, String... command) {
        return new EngineGauge(List.of(command), temp.resolve("cache/speed.json"), of);
    }

    private static String[] says(EngineSpeed speed) {
        return new String[] {"echo", Records.toJson(speed).toString()};
    }

    @Test
    void measuresAndKeeps() throws Exception {
        EngineGauge first = gauge("cpu", says(SPEED));
        assertTrue(first.stale());
        assertEquals(Optional.empty(), first.known());
        assertEquals(Optional.of(SPEED), first.measure());
        EngineGauge next = gauge("cpu", "false");
        assertEquals(Optional.of(SPEED), next.known());
        assertFalse(next.stale());
        assertEquals(Optional.empty(), gauge("another cpu", "false").known());
        assertTrue(gauge("another cpu", "false").stale());
    }

    @Test
    void theBetterNumbersCount() throws Exception {
        gauge("cpu", says(SPEED)).measure();
        EngineSpeed other = new EngineSpeed(
                List.of(new EngineSpeed.Format(4, true, 40e9, 80e9), new EngineSpeed.Format(8, true, 1, 2)),
                50e-6,
                10e9);
        EngineSpeed best = gauge("cpu", says(other)).measure().orElseThrow();
        assertEquals(
                new EngineSpeed(
                        List.of(new EngineSpeed.Format(4, true, 50e9, 80e9), new EngineSpeed.Format(8, true, 1, 2)),
                        40e-6,
                        20e9),
                best);
    }

    @Test
    void aBrokenFileIsMeasuredAgainAndABrokenProgramIsAnError() throws Exception {
        Files.createDirectories(temp.resolve("cache"));
        Files.writeString(temp.resolve("cache/speed.json"), "{");
        assertTrue(gauge("cpu", "false").stale());
        assertThrows(IOException.class, () -> gauge("cpu", "false").measure());
        assertThrows(IOException.class, () -> gauge("cpu", "echo", "nonsense").measure());
        assertEquals(Optional.empty(), gauge("cpu", "echo", "null").measure(), "no engine tells");
    }
}
