package skulk.runner.mlx.schedule;

import java.util.Optional;
import java.util.Set;
import skulk.api.Drafter;
import skulk.runner.mlx.sample.Sampler;

/**
 * One sequence to generate.
 *
 * @param client who asks, for fairness
 * @param prompt token ids, not to be changed
 * @param committed output tokens that exist already; the sampler and the output have taken them in
 * @param maxTokens most output tokens, those committed included; empty = the default
 * @param sampler of this sequence alone
 * @param endTokens ids that end the output
 * @param output where tokens go
 * @param drafter guesses tokens ahead; closed at the end
 */
public record Job(
        String client,
        int[] prompt,
        int[] committed,
        Optional<Integer> maxTokens,
        Sampler sampler,
        Set<Integer> endTokens,
        SequenceOutput output,
        Optional<Drafter> drafter) {}
