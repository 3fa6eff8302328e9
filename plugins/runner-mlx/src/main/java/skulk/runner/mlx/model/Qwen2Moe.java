package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;

/** {@code qwen2_moe}: qwen2 with a mixture in every layer and an expert that all tokens go through, behind a gate. */
final class Qwen2Moe implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Qwen2Moe(Fields given, Weights w) {
        Fields f = Defaults.without(given, "head_dim");
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(true, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        // MLX scales no positions, opens no window and normalises no weights in this family
        Rope rope = RopeConfig.of(f, Optional.empty(), c.width(), RopeConfig.theta(f, 1000000));
        int experts = f.count("num_experts", 1);
        Router router = new Router.SoftmaxFirst(experts, Router.used(f, "num_experts_per_tok", experts), false, false);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), spec, Optional.of(rope));
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    SharedExpert.load(w, c, path + ".mlp", router)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, !w.has(Frame.headPath(prefix) + ".weight"), norm);
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
