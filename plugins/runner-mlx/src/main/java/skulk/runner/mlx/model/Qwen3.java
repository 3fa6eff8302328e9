package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code qwen3}: norms on query and key heads. */
final class Qwen3 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Qwen3(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        boolean bias = f.flag("attention_bias", false);
        AttentionBlock.Config heads = c.attention(bias, bias);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, c.rotated(), 1000000);
        List<Integer> windows = Qwen2.windows(c);
        Activation activation = c.activation(Activation.SILU);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place =
                    new AttentionBlock.Place(layers.size(), spec.withWindow(windows.get(i)), Optional.of(rope));
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place)
                            .withNorms(
                                    w.norm(path + ".self_attn.q_norm", c.width(), c.eps(), 0),
                                    w.norm(path + ".self_attn.k_norm", c.width(), c.eps(), 0)),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), activation, false)));
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
