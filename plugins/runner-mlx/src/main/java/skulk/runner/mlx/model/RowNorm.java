package skulk.runner.mlx.model;

import skulk.runner.mlx.kernel.RowKernels;
import skulk.runner.mlx.model.Cut.Range;

/**
 * Root-mean-square norms over all query heads of a row together, and over all its key heads. Where heads are split over
 * ranks, the sums of squares are added up first; each key/value head is counted by the first rank that holds it.
 *
 * @param queries columns of the queries, which come first
 * @param keys columns of the keys, which follow
 * @param counted columns of the keys whose squares this rank adds
 */
record RowNorm(Side queries, Side keys, int counted, boolean split) {

    /** @param total columns over all ranks */
    private record Side(float[] weight, int total, double eps) {}

    /** From {@code q_norm} and {@code k_norm} below {@code path}. */
    static RowNorm load(Weights w, String path, AttentionBlock.Config c, double eps) {
        Shares.Heads heads = w.shares().heads(c.heads(), c.kvHeads());
        Side queries = side(w, path + ".q_norm.weight", heads.query().times(c.width()), c.heads() * c.width(), eps);
        Side keys = side(w, path + ".k_norm.weight", heads.kv().times(c.width()), c.kvHeads() * c.width(), eps);
        // ranks that share a key/value head hold consecutive query heads of it
        boolean first = heads.query().from() == heads.kv().from() * (c.heads() / c.kvHeads());
        return new RowNorm(
                queries,
                keys,
                first ? keys.weight.length : 0,
                w.shares().shard().tensorRanks() > 1);
    }

    private static Side side(Weights w, String name, Range range, int total, double eps) {
        return new Side(w.vector(name, total, range), total, eps);
    }

    /** Norms queries and keys in place. */
    void apply(Ops ops, Rows qkv) {
        int width = queries.weight.length;
        if (!split) {
            RowKernels kernels = ops.backend().rows();
            ops.forRows(qkv.count(), row -> {
                int at = qkv.at(row);
                kernels.rmsNorm(qkv.data(), at, width, queries.weight, queries.eps, qkv.data(), at);
                kernels.rmsNorm(qkv.data(), at + width, keys.total, keys.weight, keys.eps, qkv.data(), at + width);
            });
            return;
        }
        Rows sums = ops.rows(qkv.count(), 2);
        ops.forRows(qkv.count(), row -> {
            sums.data()[sums.at(row)] = squares(qkv, qkv.at(row), width);
            sums.data()[sums.at(row) + 1] = squares(qkv, qkv.at(row) + width, counted);
        });
        ops.reduce(sums);
        ops.forRows(qkv.count(), row -> {
            scale(ops, qkv, qkv.at(row), queries, sums.data()[sums.at(row)]);
            scale(ops, qkv, qkv.at(row) + width, keys, sums.data()[sums.at(row) + 1]);
        });
    }

    private static float squares(Rows x, int at, int count) {
        double sum = 0;
        for (int i = at; i < at + count; i++) {
            sum += (double) x.data()[i] * x.data()[i];
        }
        return (float) sum;
    }

    private static void scale(Ops ops, Rows x, int at, Side side, float squares) {
        float factor = (float) (1 / Math.sqrt((double) squares / side.total + side.eps));
        for (int i = 0; i < side.weight.length; i++) {
            x.data()[at + i] = ops.narrow(ops.narrow(x.data()[at + i] * factor) * side.weight[i]);
        }
    }
}
