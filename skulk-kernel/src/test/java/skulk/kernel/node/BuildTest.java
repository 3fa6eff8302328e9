package skulk.kernel.node;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BuildTest {
    /** A placeholder that the build left unfilled would be shown to operators. */
    @Test
    void saysWhatItWasBuiltFrom() {
        assertTrue(Build.commit().matches("Unknown|[0-9a-f]{12}"), Build.commit());
        assertTrue(Build.version().matches("dev|\\d+\\.\\d+\\.\\d+.*"), Build.version());
    }
}
