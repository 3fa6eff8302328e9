package skulk.kernel.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationEvent;
import skulk.api.problem.Problem;

/** What ends leaves nothing behind, whenever it ends. */
class GenerationsTest {
    private static final CommandId COMMAND = new CommandId("one");
    private static final GenerationEvent BEGIN = new GenerationEvent.Accepted(3, 0);
    private static final GenerationEvent END = new GenerationEvent.Failed(Problem.of(Problem.Kind.INTERNAL, "broken"));

    private final Generations generations = new Generations();
    private final List<GenerationEvent> heard = new ArrayList<>();
    private final AtomicInteger cancelled = new AtomicInteger();

    @Test
    void isForgottenAtItsEnd() {
        List<Consumer<GenerationEvent>> told = new ArrayList<>();
        generations.submit(COMMAND, heard::add, events -> {
            told.add(events);
            return cancelled::incrementAndGet;
        });
        told.getFirst().accept(BEGIN);
        assertEquals(1, generations.size());
        generations.cancel(COMMAND);
        assertEquals(1, cancelled.get());
        told.getFirst().accept(END);
        assertEquals(0, generations.size());
        generations.cancel(COMMAND);
        assertEquals(1, cancelled.get());
        assertEquals(List.of(BEGIN, END), heard);
    }

    @Test
    void mayEndBeforeItsSubmissionReturns() {
        generations.submit(COMMAND, heard::add, events -> {
            events.accept(END);
            return cancelled::incrementAndGet;
        });
        assertEquals(0, generations.size());
        assertEquals(List.of(END), heard);
    }

    @Test
    void isForgottenWhereItIsRefused() {
        assertThrows(
                IllegalStateException.class,
                () -> generations.submit(COMMAND, heard::add, events -> {
                    throw new IllegalStateException("closed");
                }));
        assertEquals(0, generations.size());
    }
}
