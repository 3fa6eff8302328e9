package skulk.runner.mlx.sample;

import java.util.List;
import java.util.Optional;

/**
 * One chosen token.
 *
 * @param logprob where asked for
 */
public record Choice(int token, Optional<Ranked> logprob) {

    /**
     * Natural logarithms of probabilities of the model itself, before temperature, penalties, bias and masks.
     *
     * @param chosen of the chosen token
     * @param top the most likely tokens, best first
     */
    public record Ranked(double chosen, List<Alternative> top) {
        public Ranked {
            top = List.copyOf(top);
        }
    }

    public record Alternative(int token, double logprob) {}
}
