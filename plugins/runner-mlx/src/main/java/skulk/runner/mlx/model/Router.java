package skulk.runner.mlx.model;

import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.RowKernels;

/** Chooses experts for a token from its router logits. */
@SuppressWarnings("checkstyle:parameternumber") // rows are parts of arrays
interface Router {

    /**
     * @param kernels say how values are kept
     * @param logits of all experts, at {@code at}; may be overwritten
     * @param experts receives the chosen ones, in the order in which their outputs are added up
     * @param weights receives their weights
     * @param to where to write; as many entries as experts are used per token
     */
    void route(RowKernels kernels, float[] logits, int at, int[] experts, float[] weights, int to);

    /** Experts used per token. */
    int used();

    /** Weights stay floats, and so does the weighted sum of the experts until it is complete, whatever kernels round. */
    default boolean wide() {
        return false;
    }

    /** How many of {@code experts} a configuration uses per token. */
    static int used(Fields f, String name, int experts) {
        int used = f.count(name, 1);
        if (used > experts) {
            throw f.wrong(name, "is " + used + " of " + experts + " experts");
        }
        return used;
    }

    /** Softmax in place, kept as the kernels keep values. */
    private static void softmax(RowKernels kernels, float[] values, int at, int count) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = at; i < at + count; i++) {
            max = Math.max(max, values[i]);
        }
        float factor = 1 / kernels.expInto(values, at, count, max);
        for (int i = at; i < at + count; i++) {
            values[i] = kernels.narrow(values[i] * factor);
        }
    }

    /**
     * Softmax over all experts, then the best; their weights sum to one if {@code normalised}.
     *
     * @param last the best are taken from the end of an ascending order rather than from the front of a descending one
     */
    record SoftmaxFirst(int experts, int used, boolean normalised, boolean last) implements Router {
        @Override
        public void route(RowKernels kernels, float[] logits, int at, int[] chosen, float[] weights, int to) {
            softmax(kernels, logits, at, experts);
            if (last) {
                Selection.largestLast(logits, at, experts, used, chosen, to);
            } else {
                Selection.largestFirst(logits, at, experts, used, chosen, to);
            }
            float sum = 0;
            for (int k = to; k < to + used; k++) {
                weights[k] = logits[at + chosen[k]];
                sum = kernels.narrow(sum + weights[k]);
            }
            for (int k = to; k < to + used && normalised; k++) {
                weights[k] = kernels.narrow(weights[k] / sum);
            }
        }
    }

    /**
     * The best experts, then softmax over these.
     *
     * @param last as in {@link SoftmaxFirst}
     */
    record SoftmaxLast(int experts, int used, boolean last) implements Router {
        @Override
        public void route(RowKernels kernels, float[] logits, int at, int[] chosen, float[] weights, int to) {
            if (last) {
                Selection.largestLast(logits, at, experts, used, chosen, to);
            } else {
                Selection.largestFirst(logits, at, experts, used, chosen, to);
            }
            for (int k = to; k < to + used; k++) {
                weights[k] = logits[at + chosen[k]];
            }
            softmax(kernels, weights, to, used);
        }
    }
}
