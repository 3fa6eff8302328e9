package skulk.runner.mlx.sample;

import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.model.Logits;

/**
 * Chooses the tokens of one sequence. Order of work: raw log probabilities, repetition penalty, frequency and presence
 * penalties, logit bias, mask, then the largest logit (temperature 0) or a draw. Driver thread only.
 *
 * <p>The random number of a token depends on the seed and on its position in the output alone.
 */
public final class Sampler {
    private final SamplingPlan plan;
    private final History history;
    private final Optional<TokenMask> mask;
    private final Optional<Integer> logprobs;
    private final CounterRandom random;
    private long position;

    /**
     * @param prompt what the repetition penalty looks back on
     * @param mask what may come next, where the output has a shape
     * @param logprobs how many alternatives to report, where asked for
     */
    public Sampler(SamplingPlan plan, int[] prompt, Optional<TokenMask> mask, Optional<Integer> logprobs) {
        this.plan = plan;
        this.history = new History(plan.penalties(), prompt);
        this.mask = mask;
        this.logprobs = logprobs;
        this.random = new CounterRandom(plan.seed());
    }

    /**
     * The next token, from a row that is overwritten. Choosing changes nothing; the token counts once it is {@linkplain
     * #accept accepted}.
     *
     * @throws ArithmeticException where the model's logits are not numbers
     */
    public Choice choose(Logits logits, int row, Workspace work) {
        float[] values = logits.values();
        int offset = logits.offset(row);
        int length = logits.vocab();
        work.reserve(length);
        if (logprobs.isPresent()) {
            System.arraycopy(values, offset, work.raw, 0, length);
        }
        if (plan.penalties().any()) {
            history.apply(values, offset, length);
        }
        for (Map.Entry<Integer, Double> bias : plan.logitBias().entrySet()) {
            if (bias.getKey() >= 0 && bias.getKey() < length) {
                values[offset + bias.getKey()] += bias.getValue().floatValue();
            }
        }
        mask.ifPresent(m -> m.mask(values, offset, length));
        int best = logits.argmax(row);
        float max = values[offset + best];
        if (!Float.isFinite(max)) {
            throw new ArithmeticException("the model's largest logit is " + max + " at output position " + position);
        }
        int token = best;
        if (plan.temperature() > 0) {
            work.weigh(values, offset, length, max, (float) (1 / plan.temperature()));
            token = Draw.token(plan, work, length, random.uniform(position));
        }
        int chosen = token;
        return new Choice(chosen, logprobs.map(top -> Logprobs.of(work, length, chosen, top)));
    }

    /** The token became part of the output. */
    public void accept(int token) {
        history.add(token);
        position++;
        mask.ifPresent(m -> m.accept(token));
    }

    /** Whether the mask lets nothing follow. */
    public boolean complete() {
        return mask.map(TokenMask::complete).orElse(false);
    }
}
