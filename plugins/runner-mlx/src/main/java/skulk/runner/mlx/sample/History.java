package skulk.runner.mlx.sample;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The tokens of a sequence as penalties see them: the last ones of prompt and output, and how often each occurred in
 * the output.
 */
final class History {
    private final SamplingPlan.Penalties penalties;
    private final int[] recent;
    private final Map<Integer, Integer> counts = new HashMap<>();
    private int seen;

    History(SamplingPlan.Penalties penalties, int[] prompt) {
        this.penalties = penalties;
        int most = penalties.repetition() == 1 ? 0 : penalties.repetitionContext();
        this.recent = new int[Math.min(most, 1 << 20)];
        int from = Math.max(0, prompt.length - recent.length);
        for (int i = from; i < prompt.length; i++) {
            remember(prompt[i]);
        }
    }

    /** One more token of the output. */
    void add(int token) {
        remember(token);
        if (penalties.frequency() != 0 || penalties.presence() != 0) {
            counts.merge(token, 1, Integer::sum);
        }
    }

    private void remember(int token) {
        if (recent.length > 0) {
            recent[seen++ % recent.length] = token;
        }
    }

    /** Lowers the logits of what was seen. */
    void apply(float[] logits, int offset, int length) {
        if (recent.length > 0) {
            float factor = (float) penalties.repetition();
            Arrays.stream(recent, 0, Math.min(seen, recent.length))
                    .distinct()
                    .filter(token -> token >= 0 && token < length)
                    .forEach(token -> {
                        float value = logits[offset + token];
                        logits[offset + token] = value > 0 ? value / factor : value * factor;
                    });
        }
        counts.forEach((token, count) -> {
            if (token < length) {
                logits[offset + token] -= (float) (count * penalties.frequency() + penalties.presence());
            }
        });
    }
}
