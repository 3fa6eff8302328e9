package skulk.runner.mlx.model;

import java.util.List;
import java.util.Map;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.Weights.Piece;

/**
 * {@code qwen3_5} and {@code qwen3_5_moe}: the layers of qwen3_next, dense or with mixtures throughout, with separate
 * input projections in the recurrent ones and everything about positions in {@code rope_parameters}.
 */
final class Qwen35 {
    private static final Map<String, Object> DEFAULTS = Map.of(
            "num_attention_heads", 32,
            "num_key_value_heads", 8,
            "max_position_embeddings", 131072,
            "linear_num_value_heads", 64,
            "linear_num_key_heads", 16,
            "linear_key_head_dim", 192,
            "linear_value_head_dim", 128,
            "linear_conv_kernel_dim", 4,
            "tie_word_embeddings", false,
            "norm_topk_prob", true);

    private Qwen35() {}

    /** @param config the text section */
    static Architecture load(Fields config, Weights w) {
        Fields positions = config.object("rope_parameters").orElse(config);
        Fields filled = Defaults.without(Defaults.fill(config, DEFAULTS), "mlp_only_layers", "decoder_sparse_step");
        filled = Defaults.with(filled, "partial_rotary_factor", positions.number("partial_rotary_factor", 0.25));
        filled = Defaults.with(filled, "rope_theta", positions.positive("rope_theta", 100000));
        return new Qwen3Next(filled, w, Qwen35::separate);
    }

    private static Qwen3Next.Pieces separate(String path, GatedDelta.Sizes z, Shares.Heads heads) {
        Range keys = heads.kv().times(z.keyWidth());
        Range values = heads.query().times(z.valueWidth());
        List<Range> mixed = List.of(keys, keys.plus(z.keys()), values.plus(2 * z.keys()));
        return new Qwen3Next.Pieces(
                List.of(
                        new Piece(path + ".in_proj_qkv", z.channels(), mixed, false),
                        Piece.of(path + ".in_proj_z", z.values(), values, false)),
                List.of(
                        Piece.of(path + ".in_proj_b", z.valueHeads(), heads.query(), false),
                        Piece.of(path + ".in_proj_a", z.valueHeads(), heads.query(), false)));
    }
}
