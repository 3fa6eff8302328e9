package skulk.api.generation;

import java.util.Map;
import java.util.Optional;

/**
 * How tokens are chosen. Empty fields fall back to the model's generation config, then to the defaults named here.
 *
 * @param temperature 0 = greedy; default 1.0 for models without a generation config entry
 * @param topP keeps the smallest set of tokens whose probability reaches it; default 1
 * @param topK keeps the k most likely; 0 = all
 * @param minP drops tokens less likely than this times the most likely one; default 0
 * @param seed makes the output reproducible whatever else is in the batch
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens seen (CTRL, arXiv:1909.05858); default 1
 * @param repetitionContextSize how many last tokens count as seen; default 20
 * @param frequencyPenalty subtracted per occurrence in the output; default 0
 * @param presencePenalty subtracted once per token that occurs in the output; default 0
 * @param logitBias added to logits by token id
 */
public record Sampling(
        Optional<Double> temperature,
        Optional<Double> topP,
        Optional<Integer> topK,
        Optional<Double> minP,
        Optional<Long> seed,
        Optional<Double> repetitionPenalty,
        Optional<Integer> repetitionContextSize,
        Optional<Double> frequencyPenalty,
        Optional<Double> presencePenalty,
        Map<Integer, Double> logitBias) {
    public static final Sampling DEFAULT = new Sampling(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Map.of());

    public Sampling {
        logitBias = Map.copyOf(logitBias);
    }
}
