package skulk.runner.mlx.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopStringsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "one two three|two|one |two",
                "aaab|aab|a|aab",
                "ababac|abac|ab|abac",
                "never here|xyz|never here|",
                "ends with par|part|ends with par|",
                "Grüße 😀 STOP|😀|Grüße |😀",
            })
    void endsAtTheFirstStopWhereverTheTextIsCut(String text, String stop, String shown, String found) {
        for (int cut = 0; cut <= text.length(); cut++) {
            for (int second = cut; second <= text.length(); second++) {
                StopStrings stops = new StopStrings(List.of(stop, "\u0000"));
                String out = stops.push(text.substring(0, cut))
                        + stops.push(text.substring(cut, second))
                        + stops.push(text.substring(second));
                assertEquals(Optional.ofNullable(found), stops.found());
                assertEquals(shown.strip(), (out + (found == null ? stops.finish() : "")).strip());
            }
        }
    }

    @Test
    void holdsBackNoMoreThanCouldBecomeAStop() {
        StopStrings stops = new StopStrings(List.of("END", "\n\n"));
        assertEquals("text E", stops.push("text EE"));
        assertEquals("Ex", stops.push("x"));
        assertEquals("", stops.push("\n"));
        assertEquals("\ny", stops.push("y"));
    }

    @Test
    void theLongerOfTwoStopsThatEndTogetherWins() {
        StopStrings stops = new StopStrings(List.of("b", "ab"));
        assertEquals("x", stops.push("xab"));
        assertEquals(Optional.of("ab"), stops.found());
        assertTrue(stops.push("more").isEmpty());
    }
}
