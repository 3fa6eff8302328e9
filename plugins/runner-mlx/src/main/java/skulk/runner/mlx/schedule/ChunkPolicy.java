package skulk.runner.mlx.schedule;

import java.util.Map;
import java.util.TreeMap;

/**
 * How many prompt tokens share a step. While streams run, a step with a part of a prompt takes no longer than two plain
 * ones (beside a single stream, three); alone, a step is long enough to be efficient and short enough to be cancelled. Speeds are measured as moving
 * averages: that of plain steps for each number of streams, that of prompt tokens apart for steps shared with streams,
 * whose few rows cost more each. Driver thread only.
 */
public final class ChunkPolicy {
    /** With it a prompt gets on beside a single stream: kernels take four rows at once. */
    public static final int LEAST = 3;

    /** Prompt tokens of the first step that nobody waits beside. */
    private static final int FIRST = 64;

    /** What a prompt may take of a second step; the rest is left for what speed varies by from step to step. */
    private static final double SHARE = 0.75;

    /** Rows beyond a whole number of blocks are slower. */
    private static final int BLOCK = 16;

    private static final double ALONE_NANOS = 500e6;
    private static final double NEWEST = 0.25;

    private final int most;
    private final TreeMap<Integer, Double> plainNanos = new TreeMap<>();
    private double stepNanos;
    private double aloneRowNanos;
    private double sharedRowNanos;
    private double draftNanos;

    ChunkPolicy(int most) {
        this.most = Math.max(LEAST, most);
    }

    /**
     * Prompt tokens of the next step.
     *
     * @param streams that it decodes for
     */
    int tokens(int streams) {
        if (streams == 0) {
            int tokens = aloneRowNanos == 0 ? Math.min(most, FIRST) : clamp(ALONE_NANOS / aloneRowNanos);
            return Math.max(tokens / BLOCK * BLOCK, Math.min(tokens, BLOCK));
        }
        double row = sharedRowNanos == 0 ? aloneRowNanos : sharedRowNanos;
        return row == 0 ? LEAST : clamp(SHARE * plain(streams) / row);
    }

    private int clamp(double tokens) {
        return (int) Math.clamp(tokens, LEAST, most);
    }

    /** What a step without prompts takes: measured, or less than it is likely to be. */
    private double plain(int streams) {
        Map.Entry<Integer, Double> fewer = plainNanos.floorEntry(streams);
        Map.Entry<Integer, Double> more = plainNanos.higherEntry(streams);
        if (fewer != null) {
            return fewer.getValue();
        }
        return more == null ? 0 : more.getValue() * streams / more.getKey();
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
            plainNanos.merge(rows.decode, (double) nanos, ChunkPolicy::average);
        } else if (rows.prefill == 0) {
            draftNanos = average(draftNanos, Math.max(0, nanos - stepNanos) / rows.drafts);
        } else if (rows.decode == 0) {
            aloneRowNanos = average(aloneRowNanos, (double) nanos / rows.prefill);
        } else {
            double rest = Math.max(nanos - plain(rows.decode), nanos * 0.1);
            sharedRowNanos = average(sharedRowNanos, rest / rows.prefill);
        }
    }

    /** What verifying one more draft costs, as a share of a plain step. */
    double draftRowCost() {
        return stepNanos == 0 ? 0 : draftNanos / stepNanos;
    }

    /** Prompt tokens per second of a prompt alone, or beside streams if none was alone; 0 until measured. */
    double prefillSpeed() {
        double row = aloneRowNanos == 0 ? sharedRowNanos : aloneRowNanos;
        return row == 0 ? 0 : 1e9 / row;
    }

    /** Milliseconds of a step of plain decoding; 0 until measured. */
    double stepMillis() {
        return stepNanos / 1e6;
    }

    private static double average(double old, double newest) {
        return old == 0 ? newest : old + NEWEST * (newest - old);
    }
}
