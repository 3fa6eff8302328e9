package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code glm4}: norms before and after each part, fused feed-forward inputs, part of a head turns in neighbouring pairs. */
final class Glm4 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<Layer> layers = new ArrayList<>();

    Glm4(Fields given, Weights w) {
        Fields f = Defaults.fill(given, Map.of("rope_traditional", true));
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(f.flag("attention_bias", false), false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, Optional.empty(), c.rotated(), RopeConfig.theta(f, 10000));
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), spec, Optional.of(rope));
            layers.add(new Layer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_self_attn_layernorm", c.hidden(), c.eps(), 0),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.loadFused(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU),
                    w.norm(path + ".post_mlp_layernorm", c.hidden(), c.eps(), 0)));
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
            Rows attended = layer.attention.run(ops, ops.rmsNorm(h, layer.before));
            ops.add(h, ops.rmsNorm(attended, layer.after), 1);
            Rows fed = layer.feedForward.run(ops, ops.rmsNorm(h, layer.beforeFeed));
            ops.add(h, ops.rmsNorm(fed, layer.afterFeed), 1);
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
            Ops.Norm before,
            AttentionBlock attention,
            Ops.Norm after,
            Ops.Norm beforeFeed,
            FeedForward feedForward,
            Ops.Norm afterFeed) {}
}
