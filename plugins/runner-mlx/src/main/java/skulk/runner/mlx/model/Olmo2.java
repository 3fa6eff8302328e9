package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code olmo2}: norms after each part instead of before, and on all queries and all keys of a row at once. */
final class Olmo2 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<Layer> layers = new ArrayList<>();

    Olmo2(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        boolean bias = f.flag("attention_bias", false);
        AttentionBlock.Config heads = c.attention(bias, bias);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, c.width(), 10000);
        boolean innerBias = f.flag("mlp_bias", false);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), spec, Optional.of(rope));
            layers.add(new Layer(
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    RowNorm.load(w, path + ".self_attn", heads, c.eps()),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU, innerBias),
                    w.norm(path + ".post_feedforward_layernorm", c.hidden(), c.eps(), 0)));
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
            Rows qkv = ops.linear(h, layer.attention.qkv());
            layer.norm.apply(ops, qkv);
            ops.add(h, ops.rmsNorm(layer.attention.attend(ops, qkv, false), layer.after), 1);
            ops.add(h, ops.rmsNorm(layer.feedForward.run(ops, h), layer.afterFeed), 1);
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

    private record Layer(
            AttentionBlock attention, RowNorm norm, Ops.Norm after, FeedForward feedForward, Ops.Norm afterFeed) {}
}
