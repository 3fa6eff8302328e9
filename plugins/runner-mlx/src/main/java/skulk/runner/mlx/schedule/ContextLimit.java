package skulk.runner.mlx.schedule;

import java.util.Optional;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * How long a sequence may become, enforced to the token.
 *
 * @param tokens most tokens of prompt and output together
 * @param defaultOutput most output tokens where the client names no number
 */
public record ContextLimit(int tokens, int defaultOutput) {
    public static final String CODE = "context_length_exceeded";

    /**
     * The output tokens that a request may have.
     *
     * @throws SkulkException (user error, code {@value #CODE}) where prompt or output cannot fit
     */
    public int grant(int promptTokens, Optional<Integer> maxTokens) {
        if (promptTokens >= tokens) {
            throw exceeded("the prompt has %d tokens, this model's usable context limit is %d tokens"
                    .formatted(promptTokens, tokens));
        }
        int room = tokens - promptTokens;
        if (maxTokens.isEmpty()) {
            return Math.min(defaultOutput, room);
        }
        if (maxTokens.get() > room) {
            throw exceeded(
                    "the prompt has %d tokens and max_tokens is %d, together over this model's usable context limit of %d tokens"
                            .formatted(promptTokens, maxTokens.get(), tokens));
        }
        if (maxTokens.get() < 1) {
            throw new SkulkException(
                    Kind.USER_ERROR,
                    "max_tokens (max_output_tokens) must be a positive integer, not " + maxTokens.get());
        }
        return maxTokens.get();
    }

    private static SkulkException exceeded(String detail) {
        return new SkulkException(skulk.api.problem.Problem.of(Kind.USER_ERROR, CODE, CODE + ": " + detail));
    }
}
