package skulk.kernel.rank;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import skulk.api.Runner;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationEvent;

/** The generations of a rank that have not ended. They are submitted and cancelled on one thread and end on any. */
final class Generations {
    /** Stands for one whose submission has not returned yet. */
    private static final Runner.Generation SUBMITTED = () -> {};

    private final Map<CommandId, Runner.Generation> running = new ConcurrentHashMap<>();

    /**
     * Has a runner begin one.
     *
     * @param events hears what the runner says, on the runner's threads
     * @param submit given to whom the events go, as {@link Runner#submit} is
     */
    void submit(
            CommandId command,
            Consumer<GenerationEvent> events,
            Function<Consumer<GenerationEvent>, Runner.Generation> submit) {
        running.put(command, SUBMITTED);
        try {
            Runner.Generation generation = submit.apply(event -> {
                if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                    running.remove(command);
                }
                events.accept(event);
            });
            running.replace(command, SUBMITTED, generation); // unless its end came before submit returned
        } catch (RuntimeException e) {
            running.remove(command);
            throw e;
        }
    }

    /** Nothing where it has ended. */
    void cancel(CommandId command) {
        Optional.ofNullable(running.get(command)).ifPresent(Runner.Generation::cancel);
    }

    int size() {
        return running.size();
    }
}
