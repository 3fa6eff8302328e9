package skulk.runner.mlx.schedule;

/**
 * One sequence's part of a step, as it was when the step was laid out.
 *
 * @param count known tokens that enter the cache
 * @param drafts guesses that follow them
 * @param reachesEnd whether the step ends at the last known token, so that the next one can be chosen
 * @param decoding whether the sequence brings out tokens rather than reading its prompt
 * @param opening of the sequence
 */
record Share(Sequence sequence, int count, int[] drafts, boolean reachesEnd, boolean decoding, int opening) {
    Share(Sequence sequence, int count) {
        this(sequence, count, new int[0]);
    }

    Share(Sequence sequence, int count, int[] drafts) {
        this(sequence, count, drafts, count == sequence.remaining(), sequence.decoding(), sequence.openings);
    }

    int rows() {
        return count + drafts.length;
    }

    /** Rows of logits that the step brings. */
    int logitRows() {
        return reachesEnd ? 1 + drafts.length : 0;
    }

    /** Whether the sequence has lost its place since the step was begun, so that the step's result is of no use. */
    boolean stale() {
        return !sequence.open || sequence.openings != opening;
    }

    StepPlan.Slice slice() {
        int[] tokens = new int[rows()];
        System.arraycopy(sequence.tokens(), sequence.computed, tokens, 0, count);
        System.arraycopy(drafts, 0, tokens, count, drafts.length);
        return new StepPlan.Slice(sequence.id, tokens, logitRows());
    }
}
