package skulk.runner.mlx.model;

import skulk.runner.mlx.checkpoint.Fields;

/** Chooses experts for a token from its router logits. */
interface Router {

    /**
     * @param logits of all experts, at {@code at}; may be overwritten
     * @param experts receives the chosen ones, best first
     * @param weights receives their weights
     * @param to where to write; as many entries as experts are used per token
     */
    void route(float[] logits, int at, int[] experts, float[] weights, int to);

    /** Experts used per token. */
    int used();

    /** How many of {@code experts} a configuration uses per token. */
    static int used(Fields f, String name, int experts) {
        int used = f.count(name, 1);
        if (used > experts) {
            throw f.wrong(name, "is " + used + " of " + experts + " experts");
        }
        return used;
    }

    /** Indices of the {@code used} largest values, best first, the lower index first on a tie. */
    static void top(float[] values, int at, int count, int used, int[] out, int to) {
        for (int k = 0; k < used; k++) {
            int best = -1;
            for (int i = 0; i < count; i++) {
                if ((best < 0 || values[at + i] > values[at + best]) && !contains(out, to, k, i)) {
                    best = i;
                }
            }
            out[to + k] = best;
        }
    }

    private static boolean contains(int[] values, int from, int count, int value) {
        for (int i = from; i < from + count; i++) {
            if (values[i] == value) {
                return true;
            }
        }
        return false;
    }

    /** Softmax in place. */
    static void softmax(float[] values, int at, int count) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = at; i < at + count; i++) {
            max = Math.max(max, values[i]);
        }
        double sum = 0;
        for (int i = at; i < at + count; i++) {
            sum += Math.exp(values[i] - max);
        }
        for (int i = at; i < at + count; i++) {
            values[i] = (float) (Math.exp(values[i] - max) / sum);
        }
    }

    /** Softmax over all experts, then the best; their weights sum to one if {@code normalised}. */
    record SoftmaxFirst(int experts, int used, boolean normalised) implements Router {
        @Override
        public void route(float[] logits, int at, int[] chosen, float[] weights, int to) {
            softmax(logits, at, experts);
            top(logits, at, experts, used, chosen, to);
            float sum = 0;
            for (int k = 0; k < used; k++) {
                sum += logits[at + chosen[to + k]];
            }
            for (int k = 0; k < used; k++) {
                weights[to + k] = logits[at + chosen[to + k]] / (normalised ? sum : 1);
            }
        }
    }

    /** The best experts, then softmax over these. */
    record SoftmaxLast(int experts, int used) implements Router {
        @Override
        public void route(float[] logits, int at, int[] chosen, float[] weights, int to) {
            top(logits, at, experts, used, chosen, to);
            for (int k = 0; k < used; k++) {
                weights[to + k] = logits[at + chosen[to + k]];
            }
            softmax(weights, to, used);
        }
    }
}
