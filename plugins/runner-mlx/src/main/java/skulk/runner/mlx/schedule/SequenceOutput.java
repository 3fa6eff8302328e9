package skulk.runner.mlx.schedule;

import java.util.List;
import java.util.Optional;
import skulk.api.problem.Problem;
import skulk.runner.mlx.sample.Choice;

/**
 * Where a sequence's tokens go. Called on the scheduler's thread, except for a request that is refused at once; never
 * blocks.
 */
public interface SequenceOutput {

    /** The sequence joined the batch. Not repeated where memory pressure makes it leave and join again. */
    void admitted(int promptTokens, int cachedTokens);

    /** Prompt tokens in the cache so far. */
    void prefilled(int tokens, int total);

    /** One more token, other than an end token. @return why the output ends here, where it does */
    Optional<End> token(Choice choice);

    /**
     * Tokens that must come next whatever the model would choose, such as the end of reasoning that took too long.
     * Asked after each step.
     */
    default List<Integer> forced() {
        return List.of();
    }

    /** Why the output ends with the tokens that it was resumed with, where it does. */
    default Optional<End> replayed() {
        return Optional.empty();
    }

    /** The tokens of this step, after {@link #token} was called for each. */
    void committed(List<Integer> tokens);

    /** The regular end; nothing follows. */
    void ended(End end, Tally tally);

    /** The end by a failure; nothing follows. */
    void failed(Problem problem);
}
