package skulk.runner.mlx.sample;

import java.util.Arrays;
import skulk.runner.mlx.kernel.RowKernels;

/** Arrays that samplers of one thread share, so that a sequence costs no memory of the vocabulary's size. */
public final class Workspace {
    /** Weights are at most 1, so their bits shifted by {@link #BUCKET_SHIFT} stay below this. */
    static final int BUCKETS = 2048;
    /** Eight exponent bits and four of the fraction. */
    static final int BUCKET_SHIFT = 19;

    private static final int LANES = 4;

    private final RowKernels kernels;
    float[] raw = {};
    float[] weights = {};
    long[] keys = {};
    int[] kept = {};
    final int[] counts = new int[BUCKETS];
    final double[] masses = new double[BUCKETS];

    /** @param kernels what exponentials are computed with */
    public Workspace(RowKernels kernels) {
        this.kernels = kernels;
    }

    /** {@code weights[i] = exp((logits[from + i] - max) * scale)}; what is masked becomes exactly zero. */
    void weigh(float[] logits, int from, int length, float max, float scale) {
        for (int i = 0; i < length; i++) {
            weights[i] = (logits[from + i] - max) * scale;
        }
        kernels.expInto(weights, 0, length, 0);
    }

    /** The sum of some weights in double precision, in independent lanes for speed. */
    double sum(int from, int to) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            a += weights[i];
            b += weights[i + 1];
            c += weights[i + 2];
            d += weights[i + 3];
        }
        for (; i < to; i++) {
            a += weights[i];
        }
        return a + b + c + d;
    }

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
