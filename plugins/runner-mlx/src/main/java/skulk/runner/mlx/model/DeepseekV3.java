package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.model.Cut.Range;

/**
 * {@code deepseek_v3}, also {@code kimi_k2} and {@code joyai_llm_flash}: latent attention; dense first layers, then
 * mixtures with shared experts, routed by sigmoids with a correction and limited to groups of experts.
 */
final class DeepseekV3 implements Architecture {
    private static final Map<String, Object> DEFAULTS = Map.of(
            "q_lora_rank", 1536,
            "kv_lora_rank", 512,
            "qk_rope_head_dim", 64,
            "qk_nope_head_dim", 128,
            "v_head_dim", 128,
            "num_experts_per_tok", 1,
            "max_position_embeddings", 2048);

    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<Layer> layers = new ArrayList<>();

    DeepseekV3(Fields given, Weights w) {
        Fields read = Defaults.with(Defaults.without(given, "num_key_value_heads"), "rope_traditional", true);
        Fields f = Defaults.fill(read, DEFAULTS);
        LatentAttention.Config attention = LatentAttention.Config.of(f);
        Common c = Common.of(Defaults.with(f, "head_dim", attention.head()));
        shape = c.shape();
        String prefix = c.prefix(w);
        Rope rope = RopeConfig.of(f, attention.turned(), 10000);
        double scale = scale(f, attention);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            LatentAttention.Place place = new LatentAttention.Place(layers.size(), scale);
            layers.add(new Layer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    LatentAttention.load(w, path + ".self_attn", attention, rope, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    feedForward(c, w, path + ".mlp", i)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, !w.has(Frame.headPath(prefix) + ".weight"), norm);
    }

    /** YaRN's correction of the scores is squared: it applies to queries and keys. */
    private static double scale(Fields f, LatentAttention.Config c) {
        double scale = 1 / Math.sqrt(c.head());
        Optional<Fields> scaling = RopeConfig.scaling(f);
        double mscale = scaling.map(s -> s.number("mscale_all_dim", 0)).orElse(0.0);
        double factor = scaling.map(s -> s.number("factor", 1)).orElse(1.0);
        if (mscale == 0 || factor <= 1) {
            return scale;
        }
        return scale * Math.pow(0.1 * mscale * Math.log(factor) + 1, 2);
    }

    private static FeedForward feedForward(Common c, Weights w, String path, int layer) {
        Fields f = c.fields();
        int experts = f.count("n_routed_experts", 0, 0);
        boolean dense = experts == 0
                || layer < f.count("first_k_dense_replace", 0, 0)
                || layer % f.count("moe_layer_freq", 1, 1) != 0;
        if (dense) {
            return GatedFeedForward.load(w, path, c.hidden(), c.inner(), Activation.SILU, false);
        }
        int inner = f.count("moe_intermediate_size", 1);
        Mixture.Config config =
                new Mixture.Config(path + ".switch_mlp", path + ".gate", c.hidden(), inner, experts, false);
        FeedForward mixture = Mixture.load(w, config, router(f, w, path, experts), Activation.SILU);
        int shared = f.count("n_shared_experts", 0, 0);
        return shared == 0
                ? mixture
                : new SharedExpert(
                        mixture,
                        GatedFeedForward.load(
                                w, path + ".shared_experts", c.hidden(), shared * inner, Activation.SILU, false),
                        Optional.empty());
    }

    private static Router router(Fields f, Weights w, String path, int experts) {
        String method = f.text("topk_method").orElse("noaux_tc");
        if (!method.equals("noaux_tc")) {
            throw f.wrong("topk_method", "is " + method + "; known is noaux_tc");
        }
        int groups = f.count("n_group", 1, 1);
        int kept = groups == 1 ? 1 : f.count("topk_group", 1, 1);
        if (experts % groups != 0 || kept > groups) {
            throw f.wrong("n_group", "is " + groups + ", of which " + kept + " are kept, for " + experts + " experts");
        }
        int used = Router.used(f, "num_experts_per_tok", experts);
        return new GroupedRouter(
                w.vector(path + ".gate.e_score_correction_bias", experts, new Range(0, experts)),
                used,
                groups,
                kept,
                used > 1 && f.flag("norm_topk_prob", true),
                (float) f.number("routed_scaling_factor", 1));
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public List<AttentionSpec> attention() {
        return layers.stream().map(l -> l.attention.spec()).toList();
    }

    @Override
    public Rows embed(Ops ops) {
        return frame.orElseThrow().embed(ops, 1);
    }

    @Override
    public Rows layers(Ops ops, Rows h) {
        for (Layer layer : layers) {
            int mark = ops.mark();
            ops.add(h, layer.attention.run(ops, ops.rmsNorm(h, layer.before)), 1);
            ops.add(h, layer.feedForward.run(ops, ops.rmsNorm(h, layer.between)), 1);
            ops.release(mark);
        }
        return h;
    }

    @Override
    public Rows logits(Ops ops, Rows hidden) {
        return frame.orElseThrow().logits(ops, hidden);
    }

    @Override
    public Rows normed(Ops ops, Rows hidden) {
        return frame.orElseThrow().normed(ops, hidden);
    }

    private record Layer(Ops.Norm before, LatentAttention attention, Ops.Norm between, FeedForward feedForward) {}
}
