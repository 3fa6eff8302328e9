package skulk.runner.mlx.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepPlanTest {
    private static final StepPlan PLAN = new StepPlan(
            List.of(
                    new StepPlan.Open(7, List.of(new BlockKey(1, 2), new BlockKey(-3, 4))),
                    new StepPlan.Keep(new BlockKey(5, 6), 7, 3),
                    new StepPlan.Evict(new BlockKey(1, 2)),
                    new StepPlan.Truncate(7, 12),
                    new StepPlan.Trim(new BlockKey(3, -4)),
                    new StepPlan.Close(8)),
            List.of(new StepPlan.Slice(7, new int[] {1, 2, 3}, 1), new StepPlan.Slice(9, new int[] {4}, 0)));

    @Test
    void bytesCarryTheWholePlan() {
        StepPlan copy = StepPlan.decode(PLAN.encode());
        assertEquals(PLAN.operations(), copy.operations());
        assertEquals(2, copy.slices().size());
        assertEquals(7, copy.slices().getFirst().sequence());
        assertArrayEquals(new int[] {1, 2, 3}, copy.slices().getFirst().tokens());
        assertEquals(1, copy.slices().getFirst().logitRows());
    }

    @Test
    void cutBytesAreRefused() {
        byte[] bytes = PLAN.encode();
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(UncheckedIOException.class, () -> StepPlan.decode(cut));
        }
    }
}
