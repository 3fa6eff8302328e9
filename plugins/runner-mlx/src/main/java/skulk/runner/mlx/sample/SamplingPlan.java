package skulk.runner.mlx.sample;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import skulk.api.generation.Sampling;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * How the tokens of one sequence are chosen, every field decided.
 *
 * @param temperature 0 = the most likely token, the lowest id on a tie
 * @param topK 0 = all
 * @param seed of the sequence's own random numbers
 */
public record SamplingPlan(
        double temperature,
        double topP,
        int topK,
        double minP,
        long seed,
        Penalties penalties,
        Map<Integer, Double> logitBias) {

    /**
     * @param repetition factor, 1 = none
     * @param repetitionContext how many last tokens of prompt and output it looks at
     */
    public record Penalties(double repetition, int repetitionContext, double frequency, double presence) {
        static final int DEFAULT_CONTEXT = 20;

        boolean any() {
            return repetition != 1 || frequency != 0 || presence != 0;
        }
    }

    public SamplingPlan {
        logitBias = Map.copyOf(logitBias);
    }

    /** The most likely token, always. */
    public static SamplingPlan greedy() {
        return of(
                new Sampling(
                        Optional.of(0.0),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(0L),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Map.of()),
                Sampling.DEFAULT,
                0);
    }

    /**
     * The request's wishes, the model's defaults where it is silent, then the neutral values.
     *
     * @param fallbackSeed where the client gave none
     * @throws SkulkException (user error) naming the field that is out of range
     */
    public static SamplingPlan of(Sampling wish, Sampling model, long fallbackSeed) {
        var both = new Both(wish, model);
        return new SamplingPlan(
                range("temperature", both.get(Sampling::temperature, 1.0), 0, 100),
                range("top_p", both.get(Sampling::topP, 1.0), 0, 1),
                (int) range("top_k", both.get(Sampling::topK, 0), -1, Integer.MAX_VALUE),
                range("min_p", both.get(Sampling::minP, 0.0), 0, 1),
                wish.seed().orElse(fallbackSeed),
                new Penalties(
                        positive("repetition_penalty", both.get(Sampling::repetitionPenalty, 1.0)),
                        (int) range(
                                "repetition_context_size",
                                both.get(Sampling::repetitionContextSize, Penalties.DEFAULT_CONTEXT),
                                0,
                                Integer.MAX_VALUE),
                        range("frequency_penalty", both.get(Sampling::frequencyPenalty, 0.0), -100, 100),
                        range("presence_penalty", both.get(Sampling::presencePenalty, 0.0), -100, 100)),
                wish.logitBias());
    }

    private record Both(Sampling wish, Sampling model) {
        <T> T get(Function<Sampling, Optional<T>> field, T neutral) {
            return field.apply(wish).or(() -> field.apply(model)).orElse(neutral);
        }
    }

    private static double range(String field, double value, double low, double high) {
        if (!(value >= low && value <= high)) {
            throw new SkulkException(
                    Kind.USER_ERROR, "%s must be between %s and %s, not %s".formatted(field, low, high, value));
        }
        return value;
    }

    private static double positive(String field, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new SkulkException(Kind.USER_ERROR, field + " must be positive, not " + value);
        }
        return value;
    }
}
