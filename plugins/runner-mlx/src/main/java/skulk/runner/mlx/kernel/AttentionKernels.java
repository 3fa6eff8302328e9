package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Kernels over cached keys and values in blocks of 16 positions. Keys: per dimension 16 positions; values: per position
 * {@code width} dimensions, padded to a multiple of 16. BF16 where {@code half}, F32 otherwise.
 */
@SuppressWarnings("checkstyle:parameternumber") // a record per call would be garbage in the innermost loops
public interface AttentionKernels {
    /** Positions of a block. */
    int BLOCK = 16;

    /** Writes one key into column {@code position} of a block. */
    void storeKey(MemorySegment block, long at, boolean half, int position, float[] key, int keyAt, int width);

    /** Writes one value; {@code at} is where its row starts. */
    void storeValue(MemorySegment block, long at, boolean half, float[] value, int valueAt, int width);

    /**
     * Scores of {@code queries} query vectors against the 16 keys of a block, dimension after dimension:
     * {@code scores[q * scoreStride + p] = sum over d of query[q * width + d] * key[d][p]}.
     */
    void scores(MemorySegment block, long at, boolean half, Heads heads, int scoreAt);

    /**
     * Adds the 16 weighted values of a block, position after position:
     * {@code sums[q * padded + d] += weights[q * scoreStride + p] * value[p][d]}.
     */
    void accumulate(MemorySegment block, long at, boolean half, Heads heads, int scoreAt);

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
        public float[] scores = new float[0];
        /** Floats between the scores of one query vector and the next. */
        public int scoreStride;

        public float[] sums = new float[0];
    }
}
