package skulk.runner.mlx.sample;

import java.util.Optional;
import skulk.api.generation.GenerationRequest;

/** Makes the token mask that a request's output shape and tool choice ask for. Safe for use by several threads. */
@FunctionalInterface
public interface Constraints {
    /**
     * A mask of the request's own, or empty where any output will do.
     *
     * @param prompt the rendered prompt, which may have begun the reasoning
     * @param budget most tokens of the output
     * @throws skulk.api.problem.SkulkException (user error) naming what cannot be enforced
     */
    Optional<TokenMask> mask(GenerationRequest request, String prompt, int budget);
}
