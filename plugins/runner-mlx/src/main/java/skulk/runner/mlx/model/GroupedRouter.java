package skulk.runner.mlx.model;

import java.util.Arrays;
import skulk.runner.mlx.kernel.RowKernels;

/**
 * Chooses experts by the sigmoids of their logits plus a correction that balances their load (DeepSeek-V3, section
 * 2.1.2); the weights come from the sigmoids alone. Experts of the groups with the lowest sums of their two best scores
 * count as zero.
 *
 * @param correction per expert
 * @param groups groups of equal size
 * @param kept groups that are not zeroed
 * @param normalised weights sum to one before {@code factor}
 */
record GroupedRouter(float[] correction, int used, int groups, int kept, boolean normalised, float factor)
        implements Router {

    @Override
    public boolean wide() {
        return true;
    }

    @Override
    public void route(RowKernels kernels, float[] logits, int at, int[] chosen, float[] weights, int to) {
        int experts = correction.length;
        float[] scores = new float[experts];
        for (int e = 0; e < experts; e++) {
            logits[at + e] = (float) (1 / (1 + Math.exp(-logits[at + e])));
            scores[e] = logits[at + e] + correction[e];
        }
        dropGroups(scores);
        Selection.largestFirst(scores, 0, experts, used, chosen, to);
        float sum = 0;
        for (int k = to; k < to + used; k++) {
            weights[k] = logits[at + chosen[k]];
            sum += weights[k];
        }
        for (int k = to; k < to + used; k++) {
            weights[k] = (normalised ? weights[k] / sum : weights[k]) * factor;
        }
    }

    private void dropGroups(float[] scores) {
        int size = scores.length / groups;
        float[] best = new float[groups];
        for (int g = 0; g < groups; g++) {
            best[g] = bestTwo(scores, g * size, size);
        }
        for (int group : Selection.smallest(best, groups - kept)) {
            Arrays.fill(scores, group * size, (group + 1) * size, 0);
        }
    }

    private static float bestTwo(float[] scores, int from, int size) {
        float first = Float.NEGATIVE_INFINITY;
        float second = size > 1 ? Float.NEGATIVE_INFINITY : 0;
        for (int i = from; i < from + size; i++) {
            if (scores[i] > first) {
                second = size > 1 ? first : 0;
                first = scores[i];
            } else {
                second = Math.max(second, scores[i]);
            }
        }
        return first + second;
    }
}
