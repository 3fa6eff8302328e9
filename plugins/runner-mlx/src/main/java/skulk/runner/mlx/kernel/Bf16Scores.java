package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;

/** Scores summed in floats without fused operations and rounded to BF16; values are added up in floats. */
final class Bf16Scores extends ScalarAttention {
    @Override
    public void scores(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            for (int p = 0; p < BLOCK; p++) {
                float sum = 0;
                for (int d = 0; d < heads.keyWidth; d++) {
                    float product = heads.query[q * heads.keyWidth + d] * get(block, at, type, (long) d * BLOCK + p);
                    sum += product;
                }
                heads.scores[scoreAt + q * heads.scoreStride + p] = Bf16.round(sum);
            }
        }
    }

    @Override
    public void accumulate(MemorySegment block, long at, KvType type, Heads heads, int scoreAt) {
        for (int q = 0; q < heads.queries; q++) {
            for (int p = 0; p < BLOCK; p++) {
                float weight = heads.scores[scoreAt + q * heads.scoreStride + p];
                for (int d = 0; d < heads.valuePadded && weight != 0; d++) {
                    float product = weight * get(block, at, type, (long) p * heads.valuePadded + d);
                    heads.sums[q * heads.valuePadded + d] += product;
                }
            }
        }
    }
}
