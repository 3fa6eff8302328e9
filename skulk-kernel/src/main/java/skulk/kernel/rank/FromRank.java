package skulk.kernel.rank;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.Json;
import skulk.api.problem.Problem;

/** What a rank process tells its node, one JSON frame each. */
public sealed interface FromRank {
    /** First: the process is up. */
    record Hello(long pid) implements FromRank {}

    /** The rank waits for the others on this port. @param key one-time secret they must know */
    record Listening(int port, byte[] key) implements FromRank {}

    record Status(RunnerStatus status) implements FromRank {}

    record Phase(Instant at, String phase, String detail) implements FromRank {}

    /** Events of one generation, batched as they came. */
    record Events(CommandId command, List<GenerationEvent> events) implements FromRank {}

    record Answer(long call, Json body, Optional<Problem> problem) implements FromRank {}

    /**
     * Sign of life, twice a second, from a thread that does nothing else.
     *
     * @param steps steps the engine has done, where it tells; a change is progress
     * @param waiting which rank this one waits for and since when, "" where none
     */
    record Pulse(long steps, String waiting) implements FromRank {}

    /** It can never work again; the process ends now. */
    record Broken(String reason) implements FromRank {}
}
