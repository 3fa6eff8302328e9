package skulk.runner.mlx.sample;

import java.util.Arrays;

/** Arrays that samplers of one thread share, so that a sequence costs no memory of the vocabulary's size. */
public final class Workspace {
    /** Weights are at most 1, so their bits shifted by {@link #BUCKET_SHIFT} stay below this. */
    static final int BUCKETS = 2048;
    /** Eight exponent bits and four of the fraction. */
    static final int BUCKET_SHIFT = 19;

    float[] raw = {};
    float[] weights = {};
    long[] keys = {};
    int[] kept = {};
    final int[] counts = new int[BUCKETS];
    final double[] masses = new double[BUCKETS];

    void reserve(int length) {
        if (weights.length < length) {
            raw = new float[length];
            weights = new float[length];
            keys = new long[length];
            kept = new int[length];
        }
    }

    /** Counts and sums the weights by size: bucket numbers grow with the weight. */
    void fillBuckets(int length) {
        Arrays.fill(counts, 0);
        Arrays.fill(masses, 0);
        for (int i = 0; i < length; i++) {
            int bucket = bucket(weights[i]);
            counts[bucket]++;
            masses[bucket] += weights[i];
        }
    }

    static int bucket(float weight) {
        return Math.min(Float.floatToRawIntBits(weight) >>> BUCKET_SHIFT, BUCKETS - 1);
    }
}
