package skulk.runner.mlx.sample;

import java.util.Optional;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** Makes the token mask that a request's output shape and tool choice ask for. */
@FunctionalInterface
public interface Constraints {
    /**
     * A mask of the request's own, or empty where any output will do.
     *
     * @throws SkulkException (user error) naming what cannot be enforced
     */
    Optional<TokenMask> mask(GenerationRequest request);

    /** Enforces nothing and says so. */
    static Constraints none() {
        return request -> {
            if (!(request.output() instanceof OutputShape.FreeText)) {
                throw new SkulkException(Kind.USER_ERROR, "response_format: this engine cannot enforce the shape of an output");
            }
            if (request.prompt() instanceof Conversation conversation
                    && (conversation.choice() instanceof ToolChoice.Required
                            || conversation.choice() instanceof ToolChoice.Named)) {
                throw new SkulkException(Kind.USER_ERROR, "tool_choice: this engine cannot force a tool call; use auto or none");
            }
            return Optional.empty();
        };
    }
}
