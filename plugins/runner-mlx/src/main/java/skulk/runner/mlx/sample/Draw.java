package skulk.runner.mlx.sample;

import java.util.Arrays;

/**
 * Draws one token by weight: top-k, then top-p over what is left, then min-p, as Hugging
 * Face orders them.
 *
 * <p>The truncations are exact without sorting the vocabulary: weights are counted in buckets by size, whole buckets
 * are kept or dropped, and only the bucket where the limit falls is sorted. Equal weights are kept in the order of ids.
 */
final class Draw {
    /** Tokens whose weights are skipped together. */
    private static final int STRIDE = 256;

    private final SamplingPlan plan;
    private final Workspace work;
    private final int length;
    private int kept;

    private Draw(SamplingPlan plan, Workspace work, int length) {
        this.plan = plan;
        this.work = work;
        this.length = length;
    }

    /**
     * Draws from the first {@code length} weights of the workspace, the largest of which is 1.
     *
     * @param uniform the random number, in [0, 1)
     */
    static int token(SamplingPlan plan, Workspace work, int length, double uniform) {
        Draw draw = new Draw(plan, work, length);
        boolean topK = plan.topK() > 0 && plan.topK() < length;
        if (!topK && plan.topP() >= 1 && plan.minP() <= 0) {
            return draw.fromAll(uniform);
        }
        if (topK) {
            draw.keepTopK(plan.topK());
        } else if (plan.topP() < 1) {
            draw.keepTopP();
        } else {
            draw.gather(0);
        }
        draw.dropBelow((float) plan.minP());
        return draw.fromKept(uniform);
    }

    private int fromAll(double uniform) {
        double left = uniform * work.sum(0, length);
        for (int from = 0; from < length; from += STRIDE) {
            int to = Math.min(length, from + STRIDE);
            double stride = work.sum(from, to);
            if (left < stride) {
                for (int i = from; i < to; i++) {
                    left -= work.weights[i];
                    if (left < 0) {
                        return i;
                    }
                }
            } else {
                left -= stride;
            }
        }
        // what rounding leaves over goes to the last token that has any weight
        int last = length - 1;
        while (work.weights[last] == 0) {
            last--;
        }
        return last;
    }

    private int fromKept(double uniform) {
        double total = 0;
        for (int i = 0; i < kept; i++) {
            total += work.weights[work.kept[i]];
        }
        double left = uniform * total;
        for (int i = 0; i < kept; i++) {
            left -= work.weights[work.kept[i]];
            if (left < 0) {
                return work.kept[i];
            }
        }
        return work.kept[0];
    }

    private void keepTopK(int k) {
        work.fillBuckets(length);
        int bucket = Workspace.BUCKETS - 1;
        int count = work.counts[bucket];
        while (count < k) {
            count += work.counts[--bucket];
        }
        int candidates = sortBuckets(bucket, Workspace.BUCKETS - 1);
        kept = 0;
        double total = 0;
        for (int i = 0; i < Math.min(k, candidates); i++) {
            int token = (int) work.keys[i];
            work.kept[kept++] = token;
            total += work.weights[token];
        }
        if (plan.topP() < 1) {
            double wanted = plan.topP() * total;
            double mass = 0;
            int needed = 0;
            do {
                mass += work.weights[work.kept[needed++]];
            } while (needed < kept && mass < wanted);
            kept = needed;
        }
    }

    private void keepTopP() {
        work.fillBuckets(length);
        double wanted = plan.topP() * work.sum(0, length);
        int bucket = Workspace.BUCKETS - 1;
        double mass = 0;
        while (bucket > 0 && (work.counts[bucket] == 0 || mass + work.masses[bucket] < wanted)) {
            mass += work.masses[bucket--];
        }
        // tokens of higher buckets are all kept, those of this one from the heaviest down
        gather(bucket + 1);
        int candidates = sortBuckets(bucket, bucket);
        int next = 0;
        while (next < candidates && (mass < wanted || kept == 0)) {
            int token = (int) work.keys[next++];
            mass += work.weights[token];
            work.kept[kept++] = token;
        }
    }

    /** Keeps the tokens of this bucket and above, in the order of ids. */
    private void gather(int bucket) {
        kept = 0;
        for (int i = 0; i < length; i++) {
            if (Workspace.bucket(work.weights[i]) >= bucket) {
                work.kept[kept++] = i;
            }
        }
    }

    /**
     * Puts the tokens of the buckets into {@code keys}, heaviest first, lower ids first among equals. The low half of a
     * key is the token.
     */
    private int sortBuckets(int from, int to) {
        int n = 0;
        for (int i = 0; i < length; i++) {
            int bucket = Workspace.bucket(work.weights[i]);
            if (bucket >= from && bucket <= to) {
                long descending = Integer.MAX_VALUE - Float.floatToRawIntBits(work.weights[i]);
                work.keys[n++] = descending << 32 | i;
            }
        }
        Arrays.sort(work.keys, 0, n);
        return n;
    }

    /** The heaviest token has weight 1, so min-p is a plain threshold. */
    private void dropBelow(float threshold) {
        int n = 0;
        for (int i = 0; i < kept; i++) {
            if (work.weights[work.kept[i]] >= threshold) {
                work.kept[n++] = work.kept[i];
            }
        }
        kept = n;
    }
}
