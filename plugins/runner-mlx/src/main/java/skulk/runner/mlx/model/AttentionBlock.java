package skulk.runner.mlx.model;

import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.Ops.Norm;
import skulk.runner.mlx.model.Weights.Piece;

/**
 * Projections, norms and rotation around attention.
 *
 * @param index which of this rank's layers
 * @param qkv queries, keys, values
 * @param norms norms of every query and key head, if the family has them
 * @param rope absent in layers without positions
 */
record AttentionBlock(
        int index, Linear qkv, Optional<HeadNorms> norms, Optional<Rope> rope, AttentionSpec spec, Linear out) {

    /** Norms of single heads. */
    record HeadNorms(Norm query, Norm key) {}

    /**
     * What a configuration says.
     *
     * @param bias whether queries, keys and values have biases
     * @param outBias whether the output projection has one
     */
    record Config(int hidden, int heads, int kvHeads, int width, boolean bias, boolean outBias) {}

    /**
     * From {@code q_proj}, {@code k_proj}, {@code v_proj}, {@code o_proj} below {@code path}.
     *
     * @param spec for all heads of the model; scale, window and the like are taken from it
     */
    static AttentionBlock load(Weights w, String path, Config c, Place place) {
        Shares.Heads heads = w.shares().heads(c.heads, c.kvHeads);
        Range query = heads.query().times(c.width);
        Range kv = heads.kv().times(c.width);
        Linear qkv = w.stacked(
                c.hidden,
                List.of(
                        Piece.of(path + ".q_proj", c.heads * c.width, query, c.bias),
                        Piece.of(path + ".k_proj", c.kvHeads * c.width, kv, c.bias),
                        Piece.of(path + ".v_proj", c.kvHeads * c.width, kv, c.bias)));
        return finish(w, path, c, place, qkv);
    }

    /** From {@code qkv_proj} and {@code o_proj} below {@code path}. */
    static AttentionBlock loadFused(Weights w, String path, Config c, Place place) {
        Shares.Heads heads = w.shares().heads(c.heads, c.kvHeads);
        Range kv = heads.kv().times(c.width);
        int keys = c.heads * c.width;
        int values = keys + c.kvHeads * c.width;
        Piece all = new Piece(
                path + ".qkv_proj",
                values + c.kvHeads * c.width,
                List.of(heads.query().times(c.width), kv.plus(keys), kv.plus(values)),
                c.bias);
        return finish(w, path, c, place, w.stacked(c.hidden, List.of(all)));
    }

    private static AttentionBlock finish(Weights w, String path, Config c, Place place, Linear qkv) {
        Range query = w.shares().heads(c.heads, c.kvHeads).query();
        Linear out = w.reduced(path + ".o_proj", c.hidden, c.heads * c.width, query.times(c.width), c.outBias);
        return new AttentionBlock(place.index, qkv, Optional.empty(), place.rope, place.spec, out);
    }

    /** Attention of this rank's share of the heads, with the usual scale. */
    static AttentionSpec spec(Weights w, Config c) {
        Shares.Heads heads = w.shares().heads(c.heads, c.kvHeads);
        return AttentionSpec.of(heads.query().size(), heads.kv().size(), c.width);
    }

    AttentionBlock withNorms(Norm query, Norm key) {
        return new AttentionBlock(index, qkv, Optional.of(new HeadNorms(query, key)), rope, spec, out);
    }

    /** New rows from normed rows; summed over the ranks. */
    Rows run(Ops ops, Rows x) {
        return run(ops, x, false);
    }

    /** @param only computes the rows whose logits are asked for; keys and values of all are stored */
    Rows run(Ops ops, Rows x, boolean only) {
        Rows rows = ops.linear(x, qkv);
        int keys = spec.heads() * spec.keyWidth();
        norms.ifPresent(n -> {
            ops.rmsNormHeads(rows, 0, spec.heads(), n.query);
            ops.rmsNormHeads(rows, keys, spec.kvHeads(), n.key);
        });
        return attend(ops, rows, only);
    }

    /** The rest of it from queries, keys and values on, for families that change these in their own way. */
    Rows attend(Ops ops, Rows rows, boolean only) {
        turn(ops, rows);
        return attendTurned(ops, rows, only);
    }

    /** Turns queries and keys to their positions, for families that go on with them in their own way. */
    void turn(Ops ops, Rows rows) {
        rope.ifPresent(r -> ops.rope(rows, 0, spec.heads() + spec.kvHeads(), spec.keyWidth(), r));
    }

    /** @param only computes the rows whose logits are asked for */
    Rows attendTurned(Ops ops, Rows rows, boolean only) {
        return ops.linear(ops.attention(rows, index, spec, only), out);
    }

    /**
     * What differs from layer to layer.
     *
     * @param index which of this rank's layers
     * @param spec attention of this rank's heads
     */
    record Place(int index, AttentionSpec spec, Optional<Rope> rope) {}
}
