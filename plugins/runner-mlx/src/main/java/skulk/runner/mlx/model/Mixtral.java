package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code mixtral}: every feed-forward block is a mixture; the chosen experts' weights are a softmax among themselves. */
final class Mixtral implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Mixtral(Fields given, Weights w) {
        Fields f = Defaults.fill(
                Defaults.without(given, "head_dim"),
                Map.of(
                        "num_key_value_heads",
                        8,
                        "num_experts_per_tok",
                        2,
                        "num_local_experts",
                        8,
                        "rms_norm_eps",
                        1e-5));
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(false, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        // MLX applies neither scaling of positions nor a window in this family
        Rope rope = RopeConfig.of(f, Optional.empty(), c.width(), RopeConfig.theta(f, 1000000));
        int experts = f.count("num_local_experts", 1);
        Router router = new Router.SoftmaxLast(experts, Router.used(f, "num_experts_per_tok", experts), false);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), spec, Optional.of(rope));
            String moe = path + ".block_sparse_moe";
            Mixture.Config mixture =
                    new Mixture.Config(moe + ".switch_mlp", moe + ".gate", c.hidden(), c.inner(), experts, false);
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    Mixture.load(w, mixture, router, Activation.SILU)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, Frame.tied(w, c, prefix), norm);
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public List<AttentionSpec> attention() {
        return PreNormLayer.attention(layers);
    }

    @Override
    public Rows embed(Ops ops) {
        return frame.orElseThrow().embed(ops, 1);
    }

    @Override
    public Rows layers(Ops ops, Rows hidden) {
        return PreNormLayer.run(layers, ops, hidden, 1);
    }

    @Override
    public Rows logits(Ops ops, Rows hidden) {
        return frame.orElseThrow().logits(ops, hidden);
    }

    @Override
    public Rows normed(Ops ops, Rows hidden) {
        return frame.orElseThrow().normed(ops, hidden);
    }
}
