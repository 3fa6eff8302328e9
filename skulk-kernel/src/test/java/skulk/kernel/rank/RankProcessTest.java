package skulk.kernel.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.System.Logger.Level;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankProcessTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            INFO skulk.runner.mlx.runner.MlxLoader: loaded | INFO
            CRITICAL: warm-up of org/model (rank 0 of 1) ran over its deadline | ERROR
            WARNING: Using incubator modules: jdk.incubator.vector | DEBUG
            java.lang.OutOfMemoryError | INFO
            """)
    void raisesWhatAsksForAPerson(String line, Level level) {
        assertEquals(level, RankProcess.level(line));
    }
}
