package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.model.Cut.Range;

/**
 * Multi-head latent attention (DeepSeek-V2, section 2.1) in its absorbed form: keys and values of all heads are one
 * latent vector per position, with a turned part beside it. Queries are brought into the latent space and outputs out of
 * it, head by head, so that the cache holds the latent vector only.
 *
 * @param index which of this rank's layers
 * @param query from hidden rows to queries, in one matrix or through a narrow one
 * @param latent from hidden rows to latent vector and turned key
 * @param embed per head held here, {@code latent x plain} part of a query
 * @param unembed per head held here, {@code value x latent}
 */
record LatentAttention(
        int index,
        Query query,
        Linear latent,
        Ops.Norm latentNorm,
        List<TileMatrix> embed,
        List<TileMatrix> unembed,
        Rope rope,
        AttentionSpec spec,
        Linear out) {

    /** The eps of the norms within, whatever the configuration says of the others. */
    private static final double EPS = 1e-6;

    /** @param narrow absent if {@code wide} takes hidden rows */
    private record Query(Optional<Narrow> narrow, Linear wide) {}

    private record Narrow(Linear down, Ops.Norm norm) {}

    /**
     * Sizes.
     *
     * @param queryRank width of the narrow queries, if there are such
     * @param rank width of the latent vector
     * @param plain part of a query and key head that does not turn
     * @param turned part that does
     * @param value length of a value head
     * @param bias whether the projections into and out of it have biases
     */
    record Config(
            int hidden,
            int heads,
            Optional<Integer> queryRank,
            int rank,
            int plain,
            int turned,
            int value,
            boolean bias) {
        static Config of(Fields f) {
            return new Config(
                    f.count("hidden_size", 1),
                    f.count("num_attention_heads", 1),
                    f.findCount("q_lora_rank", 1),
                    f.count("kv_lora_rank", 1),
                    f.count("qk_nope_head_dim", 1),
                    f.count("qk_rope_head_dim", 2),
                    f.count("v_head_dim", 1),
                    f.flag("attention_bias", false));
        }

        int head() {
            return plain + turned;
        }
    }

    static LatentAttention load(Weights w, String path, Config c, Rope rope, Place place) {
        Range heads = w.shares().heads(c.heads, 1).query();
        Linear latent = w.stacked(
                c.hidden,
                List.of(Weights.Piece.of(
                        path + ".kv_a_proj_with_mqa", c.rank + c.turned, new Range(0, c.rank + c.turned), c.bias)));
        AttentionSpec spec =
                new AttentionSpec(heads.size(), 1, c.rank + c.turned, c.rank, place.scale, 0, 0, Optional.empty());
        boolean absorbed = w.has(path + ".embed_q.weight");
        return new LatentAttention(
                place.index,
                query(w, path, c, heads),
                latent,
                w.norm(path + ".kv_a_layernorm", c.rank, EPS, 0),
                absorbed
                        ? heads(w, path + ".embed_q", c.heads, c.rank, c.plain).subList(heads.from(), heads.to())
                        : w.transposed(path + ".kv_b_proj", both(c), c.rank, rows(c, heads, 0, c.plain)),
                absorbed
                        ? heads(w, path + ".unembed_out", c.heads, c.value, c.rank)
                                .subList(heads.from(), heads.to())
                        : values(w, path + ".kv_b_proj", c, heads),
                rope,
                spec,
                w.reduced(path + ".o_proj", c.hidden, c.heads * c.value, heads.times(c.value), c.bias));
    }

    private static Query query(Weights w, String path, Config c, Range heads) {
        int rows = c.heads * c.head();
        Range held = heads.times(c.head());
        if (c.queryRank.isEmpty()) {
            Weights.Piece piece = Weights.Piece.of(path + ".q_proj", rows, held, false);
            return new Query(Optional.empty(), w.stacked(c.hidden, List.of(piece)));
        }
        int rank = c.queryRank.get();
        Weights.Piece down = Weights.Piece.of(path + ".q_a_proj", rank, new Range(0, rank), c.bias);
        Weights.Piece up = Weights.Piece.of(path + ".q_b_proj", rows, held, false);
        Narrow narrow = new Narrow(w.stacked(c.hidden, List.of(down)), w.norm(path + ".q_a_layernorm", rank, EPS, 0));
        return new Query(Optional.of(narrow), w.stacked(rank, List.of(up)));
    }

    private static List<TileMatrix> heads(Weights w, String path, int heads, int rows, int cols) {
        return w.experts(path, heads, rows, cols, Cut.rows(cols, new Range(0, rows)));
    }

    /** Rows of the matrix that holds keys and values of all heads, as first published. */
    private static int both(Config c) {
        return c.heads * (c.plain + c.value);
    }

    private static List<Range> rows(Config c, Range heads, int from, int count) {
        return IntStream.range(heads.from(), heads.to())
                .map(h -> h * (c.plain + c.value) + from)
                .mapToObj(at -> new Range(at, at + count))
                .toList();
    }

    private static List<TileMatrix> values(Weights w, String path, Config c, Range heads) {
        return rows(c, heads, c.plain, c.value).stream()
                .map(range -> w.matrix(path, both(c), c.rank, Cut.rows(c.rank, range)))
                .toList();
    }

    /** New rows from normed rows; summed over the ranks. */
    Rows run(Ops ops, Rows x) {
        Rows narrow = query.narrow
                .map(n -> ops.rmsNorm(ops.linear(x, n.down), n.norm))
                .orElse(x);
        Rows queries = ops.linear(narrow, query.wide);
        int head = queries.width() / spec.heads();
        int rank = spec.valueWidth();
        int turned = spec.keyWidth() - rank;
        ops.rope(queries, head - turned, spec.heads(), head, rope);
        Rows keys = ops.linear(x, latent);
        ops.rmsNormHeads(keys, 0, 1, latentNorm);
        ops.rope(keys, rank, 1, turned, rope);

        if (ops.backend().rounds()) {
            return ops.linear(new Bf16Latent(ops, this, turned).run(queries, keys), out);
        }
        Rows qkv = ops.rows(x.count(), spec.rowWidth());
        ops.products(perHead(embed, queries, head, qkv, spec.keyWidth()));
        ops.forRows(x.count(), row -> {
            int at = qkv.at(row);
            for (int h = 0; h < spec.heads(); h++) {
                int from = queries.at(row) + (h + 1) * head - turned;
                System.arraycopy(queries.data(), from, qkv.data(), at + rank, turned);
                at += spec.keyWidth();
            }
            System.arraycopy(keys.data(), keys.at(row), qkv.data(), at, spec.keyWidth());
            System.arraycopy(keys.data(), keys.at(row), qkv.data(), at + spec.keyWidth(), rank);
        });
        Rows attended = ops.attention(qkv, index, spec);
        int value = unembed.getFirst().rows();
        Rows values = ops.rows(x.count(), spec.heads() * value);
        ops.products(perHead(unembed, attended, rank, values, value));
        return ops.linear(values, out);
    }

    /** Products of each head's columns of {@code x} into its columns of {@code y}. */
    static List<Product.Unit> perHead(List<TileMatrix> heads, Rows x, int from, Rows y, int to) {
        List<Product.Unit> units = new ArrayList<>();
        for (int h = 0; h < heads.size(); h++) {
            units.add(new Product.Unit(
                    heads.get(h), x.data(), h * from, x.width(), x.count(), y.data(), h * to, y.width()));
        }
        return units;
    }

    /**
     * What a layer adds.
     *
     * @param scale factor of the scores
     */
    record Place(int index, double scale) {}
}
