package skulk.runner.mlx.model;

import java.util.List;
import java.util.stream.IntStream;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.Weights.Piece;

/**
 * Attention whose output is multiplied by the sigmoid of gates, which come out of {@code q_proj} beside the queries, head
 * by head.
 *
 * @param qkv queries, keys, values, then gates
 */
record GatedAttention(int index, Linear qkv, Ops.Norm query, Ops.Norm key, Rope rope, AttentionSpec spec, Linear out) {

    /** @param place rope, and attention of this rank's heads */
    static GatedAttention load(
            Weights w, String path, AttentionBlock.Config c, AttentionBlock.Place place, List<Ops.Norm> norms) {
        Shares.Heads heads = w.shares().heads(c.heads(), c.kvHeads());
        Range kv = heads.kv().times(c.width());
        int rows = 2 * c.heads() * c.width();
        Linear qkv = w.stacked(
                c.hidden(),
                List.of(
                        new Piece(path + ".q_proj", rows, halves(heads.query(), c.width(), 0), c.bias()),
                        Piece.of(path + ".k_proj", c.kvHeads() * c.width(), kv, c.bias()),
                        Piece.of(path + ".v_proj", c.kvHeads() * c.width(), kv, c.bias()),
                        new Piece(path + ".q_proj", rows, halves(heads.query(), c.width(), 1), c.bias())));
        Linear out = w.reduced(
                path + ".o_proj",
                c.hidden(),
                c.heads() * c.width(),
                heads.query().times(c.width()),
                c.outBias());
        return new GatedAttention(
                place.index(),
                qkv,
                norms.getFirst(),
                norms.getLast(),
                place.rope().orElseThrow(),
                place.spec(),
                out);
    }

    private static List<Range> halves(Range heads, int width, int half) {
        return IntStream.range(heads.from(), heads.to())
                .map(h -> (2 * h + half) * width)
                .mapToObj(at -> new Range(at, at + width))
                .toList();
    }

    /** New rows from normed rows; summed over the ranks. */
    Rows run(Ops ops, Rows x) {
        Rows rows = ops.linear(x, qkv);
        int keys = spec.heads() * spec.keyWidth();
        ops.rmsNormHeads(rows, 0, spec.heads(), query);
        ops.rmsNormHeads(rows, keys, spec.kvHeads(), key);
        ops.rope(rows, 0, spec.heads() + spec.kvHeads(), spec.keyWidth(), rope);
        Rows attended = ops.attention(rows, index, spec);
        Pointwise.sigmoidGate(ops, attended, rows, spec.rowWidth());
        return ops.linear(attended, out);
    }
}
