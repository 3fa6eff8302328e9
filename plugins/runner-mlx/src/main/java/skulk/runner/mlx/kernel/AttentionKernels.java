package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Kernels over cached keys and values in blocks of 16 positions. Keys: per dimension 16 positions; values: per position
 * {@code width} dimensions, padded to a multiple of 16. {@link KvType} says what a number is.
 */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
public interface AttentionKernels {
    /** Positions of a block. */
    int BLOCK = 16;

    /** Writes one key into column {@code position} of the keys at {@code at}. */
    void storeKey(MemorySegment block, long at, KvType type, int position, float[] key, int keyAt, int width);

    /** Writes one value into row {@code position} of the values at {@code at}. */
    void storeValue(MemorySegment block, long at, KvType type, int position, float[] value, int valueAt, int width);

    /**
     * Scores of {@code queries} query vectors against the 16 keys of a block, dimension after dimension:
     * {@code scores[q * scoreStride + p] = sum over d of query[q * width + d] * key[d][p]}.
     */
    void scores(MemorySegment block, long at, KvType type, Heads heads, int scoreAt);

    /**
     * Adds the 16 weighted values of a block, position after position:
     * {@code sums[q * padded + d] += weights[q * scoreStride + p] * value[p][d]}.
     */
    void accumulate(MemorySegment block, long at, KvType type, Heads heads, int scoreAt);

    /** Query vectors that share keys and values, with their scores and sums. Scratch of one thread. */
    final class Heads {
        /** Number of query vectors. */
        public int queries;
        /** Length of a query vector. */
        public int keyWidth;
        /** Length of a value, and rounded up to a multiple of 16. */
        public int valueWidth;

        public int valuePadded;
        public float[] query = new float[0];
        /** Per query vector, the sum of each group of {@link KvType#GROUP} dimensions; see {@link #sumQueries}. */
        float[] querySums = new float[0];

        /** Weights times scales; four query vectors at a time. */
        final float[] scaled = new float[4 * BLOCK];

        public float[] scores = new float[0];
        /** Floats between the scores of one query vector and the next. */
        public int scoreStride;

        public float[] sums = new float[0];

        /** To be called where {@link #query} has changed and keys are {@link KvType#INT8}. */
        public void sumQueries() {
            int groups = KvType.groups(keyWidth);
            if (querySums.length < queries * groups) {
                querySums = new float[queries * groups];
            }
            for (int q = 0; q < queries; q++) {
                for (int g = 0; g < groups; g++) {
                    float sum = 0;
                    for (int d = g * KvType.GROUP; d < Math.min(keyWidth, (g + 1) * KvType.GROUP); d++) {
                        sum += query[q * keyWidth + d];
                    }
                    querySums[q * groups + g] = sum;
                }
            }
        }
    }
}
