package skulk.api;

import java.lang.foreign.MemorySegment;

/**
 * Guesses the next tokens of one sequence. The decoding loop owns verification and the target's cache; a drafter only ever hears committed tokens, so it never
 * rolls back. Used by one thread.
 */
public interface Drafter extends AutoCloseable {
    /** Starts on a prompt and forgets the previous one. */
    void begin(int[] prompt);

    /** Up to {@code limit} guesses; fewer or none when unsure. */
    int[] draft(int limit);

    /**
     * Tokens that became final, once and in order.
     *
     * @param hidden the target's last hidden state (f32, one row of hidden size per token), or {@link MemorySegment#NULL} where the target lends none
     */
    void accept(int[] tokens, MemorySegment hidden);

    @Override
    void close();
}
