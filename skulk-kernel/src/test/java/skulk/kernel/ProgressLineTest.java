package skulk.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    private static String shown(boolean terminal, long... done) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ProgressLine line =
                new ProgressLine("org/model", new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal)) {
            for (long at : done) {
                line.show(at, 2_000_000);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aLineAtEachTenthWhereNobodyWatches() {
        List<String> lines = shown(false, 0, 100_000, 199_999, 200_000, 210_000, 2_000_000)
                .lines()
                .toList();
        assertEquals(3, lines.size(), lines.toString());
        assertTrue(lines.get(1).startsWith("org/model  10 %, 200 kB of 2.0 MB, "), lines.get(1));
        assertTrue(lines.get(2).startsWith("org/model 100 %"), lines.get(2));
        assertFalse(lines.toString().contains("\r"));
    }

    @Test
    void aBarThatRedrawsItselfOnATerminal() {
        String shown = shown(true, 1_000_000, 1_000_001, 2_000_000);
        assertEquals(2, shown.chars().filter(c -> c == '\r').count(), "not at every call");
        assertTrue(shown.contains("[###############---------------]  50 %"), shown);
        assertTrue(shown.endsWith("\n") && shown.lines().count() <= 3, shown);
        assertEquals("", shown(true), "nothing was shown, no line to end");
    }

    @Test
    void onlyPercentWhereSizesAreNotKnown() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ProgressLine line =
                new ProgressLine("org/model", new PrintStream(bytes, true, StandardCharsets.UTF_8), false)) {
            line.show(0.05);
            line.show(0.256);
            line.show(1);
        }
        assertEquals(
                List.of("org/model   5 %", "org/model  25 %", "org/model 100 %"),
                bytes.toString(StandardCharsets.UTF_8).lines().toList());
    }
}
