package skulk.runner.mlx.schedule;

/**
 * One sequence's part of a step.
 *
 * @param count known tokens that enter the cache
 * @param drafts guesses that follow them
 */
record Share(Sequence sequence, int count, int[] drafts) {
    Share(Sequence sequence, int count) {
        this(sequence, count, new int[0]);
    }

    int rows() {
        return count + drafts.length;
    }

    /** Whether the step ends at the last known token, so that the next one can be chosen. */
    boolean reachesEnd() {
        return count == sequence.remaining();
    }

    StepPlan.Slice slice() {
        int[] tokens = new int[rows()];
        System.arraycopy(sequence.tokens(), sequence.computed, tokens, 0, count);
        System.arraycopy(drafts, 0, tokens, count, drafts.length);
        return new StepPlan.Slice(sequence.id, tokens, reachesEnd() ? 1 + drafts.length : 0);
    }
}
