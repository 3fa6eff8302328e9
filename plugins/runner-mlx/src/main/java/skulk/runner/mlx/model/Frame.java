package skulk.runner.mlx.model;

import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.model.Cut.Range;

/**
 * What stands before and after the layers: embedding, final norm, output head. Split by tensors, every rank holds a
 * range of the vocabulary; split by layers, the first rank holds it all.
 *
 * @param range the tokens held here
 * @param head absent if the embedding serves as head
 */
record Frame(int vocab, Range range, TileMatrix table, Optional<TileMatrix> head, Ops.Norm norm) {

    /**
     * Loads the frame where layer 0 is held.
     *
     * @param prefix before {@code embed_tokens} and {@code norm}, ending in {@code model.}
     * @param tied the embedding serves as output head
     * @param norm final norm
     */
    static Optional<Frame> load(Weights w, Common c, String prefix, boolean tied, Ops.Norm norm) {
        if (w.shares().shard().firstLayer() != 0) {
            return Optional.empty();
        }
        Range range = w.shares().share(c.vocab());
        Cut cut = Cut.rows(c.hidden(), range);
        TileMatrix table = w.matrix(prefix + "embed_tokens", c.vocab(), c.hidden(), cut);
        Optional<TileMatrix> head =
                tied ? Optional.empty() : Optional.of(w.matrix(headPath(prefix), c.vocab(), c.hidden(), cut));
        return Optional.of(new Frame(c.vocab(), range, table, head, norm));
    }

    /** Whether the embedding serves as head: as the configuration says, otherwise if there is no head. */
    static boolean tied(Weights w, Common c, String prefix) {
        return c.fields().json().has("tie_word_embeddings")
                ? c.fields().flag("tie_word_embeddings", false)
                : !w.has(headPath(prefix) + ".weight");
    }

    static String headPath(String prefix) {
        return prefix.substring(0, Math.max(0, prefix.lastIndexOf("model."))) + "lm_head";
    }

    /** Hidden rows of the step's tokens, times a factor. */
    Rows embed(Ops ops, float factor) {
        Rows rows = ops.embed(table, range, factor);
        if (range.size() != vocab) {
            ops.reduce(rows);
        }
        return rows;
    }

    /** Logits of hidden rows; complete on rank 0. */
    Rows logits(Ops ops, Rows hidden) {
        Rows mine = ops.linear(normed(ops, hidden), new Linear(List.of(head.orElse(table)), Optional.empty(), false));
        return ops.gather(mine, vocab, range);
    }

    /** Hidden rows after the final norm. */
    Rows normed(Ops ops, Rows hidden) {
        return ops.rmsNorm(hidden, norm);
    }
}
