package skulk.runner.mlx.schedule;

/**
 * How many prompt tokens share a step. While streams run, the prompt's part of a step takes no longer than the streams'
 * own part, so that a step never takes more than two plain ones; alone, a step is long enough to be efficient and short
 * enough to be cancelled. Speeds are measured as moving averages.
 */
final class ChunkPolicy {
    /** Fewer rows than this waste the reading of the weights. */
    static final int LEAST = 16;

    private static final double ALONE_NANOS = 250e6;
    private static final double NEWEST = 0.25;

    private final int most;
    private double stepNanos;
    private double rowNanos;
    private double draftNanos;

    ChunkPolicy(int most) {
        this.most = Math.max(LEAST, most);
    }

    /** Prompt tokens of the next step. */
    int tokens(boolean streamsRun) {
        if (rowNanos == 0) {
            return streamsRun ? LEAST : Math.min(most, 4 * LEAST);
        }
        double time = streamsRun ? stepNanos : ALONE_NANOS;
        return (int) Math.clamp(time / rowNanos, LEAST, most);
    }

    /**
     * The rows of one step.
     *
     * @param decode one per stream
     * @param drafts guesses to verify
     * @param prefill prompt tokens
     */
    record Rows(int decode, int drafts, int prefill) {}

    /** What a step took. */
    void observe(Rows rows, long nanos) {
        if (rows.prefill == 0 && rows.drafts == 0) {
            stepNanos = average(stepNanos, nanos);
        } else if (rows.prefill == 0) {
            draftNanos = average(draftNanos, Math.max(0, nanos - stepNanos) / rows.drafts);
        } else if (rows.prefill >= LEAST) {
            double rest = Math.max(nanos - (rows.decode > 0 ? stepNanos : 0), nanos * 0.1);
            rowNanos = average(rowNanos, rest / rows.prefill);
        }
    }

    /** What verifying one more draft costs, as a share of a plain step. */
    double draftRowCost() {
        return stepNanos == 0 ? 0 : draftNanos / stepNanos;
    }

    /** Prompt tokens per second; 0 until measured. */
    double prefillSpeed() {
        return rowNanos == 0 ? 0 : 1e9 / rowNanos;
    }

    /** Milliseconds of a step of plain decoding; 0 until measured. */
    double stepMillis() {
        return stepNanos / 1e6;
    }

    private static double average(double old, double newest) {
        return old == 0 ? newest : old + NEWEST * (newest - old);
    }
}
