package skulk.runner.mlx.schedule;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import skulk.api.Drafter;

/**
 * Speculation of one sequence: asks its drafter, keeps score, and chooses how far ahead to guess.
 *
 * <p>With acceptance probability p per token, k drafts yield (1 − p^(k+1)) / (1 − p) tokens per step (Leviathan,
 * Kalman, Matias: Fast inference from transformers via speculative decoding, ICML 2023) at the cost of 1 + k·r plain
 * steps, r being what one more row costs. The depth with the best ratio is used; where that is none, one draft is tried
 * now and then so that the estimate can recover.
 */
final class Drafting {
    private static final int DEEPEST = 8;
    private static final int PROBE_EVERY = 32;
    private static final double NEWEST = 0.1;

    private final Drafter drafter;
    private double acceptance = 0.7;
    private int sinceDraft;
    private int accepted;
    private int rejected;

    Drafting(Drafter drafter, int[] prompt) {
        this.drafter = drafter;
        drafter.begin(prompt);
    }

    /** Guesses for the next step. @param rowCost what one more row costs, as a share of a plain step */
    int[] propose(int most, double rowCost) {
        int depth = bestDepth(acceptance, rowCost, Math.min(most, DEEPEST));
        if (depth == 0 && ++sinceDraft >= PROBE_EVERY) {
            depth = Math.min(1, most);
        }
        if (depth <= 0) {
            return new int[0];
        }
        int[] guesses = drafter.draft(depth);
        sinceDraft = guesses.length == 0 ? sinceDraft : 0;
        return guesses.length > depth ? Arrays.copyOf(guesses, depth) : guesses;
    }

    /** How many of the guesses turned out right. */
    void verified(int drafted, int right) {
        accepted += right;
        rejected += drafted - right;
        for (int i = 0; i < right; i++) {
            acceptance += NEWEST * (1 - acceptance);
        }
        if (right < drafted) {
            acceptance -= NEWEST * acceptance;
        }
    }

    void committed(int[] tokens) {
        drafter.accept(tokens, MemorySegment.NULL);
    }

    int accepted() {
        return accepted;
    }

    int rejected() {
        return rejected;
    }

    void close() {
        drafter.close();
    }

    /** The number of drafts with the most tokens per unit of time; 0 where plain decoding is as good. */
    static int bestDepth(double acceptance, double rowCost, int most) {
        int best = 0;
        double bestRate = 1;
        double tokens = 1;
        double power = 1;
        for (int depth = 1; depth <= most; depth++) {
            power *= acceptance;
            tokens += power;
            double rate = tokens / (1 + depth * rowCost);
            if (rate > bestRate) {
                best = depth;
                bestRate = rate;
            }
        }
        return best;
    }
}
