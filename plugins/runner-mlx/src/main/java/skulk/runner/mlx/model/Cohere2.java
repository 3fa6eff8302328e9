package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.model.Pointwise.LayerNorm;

/**
 * {@code cohere2}: attention and feed-forward side by side after one layer norm; windowed layers turn queries and keys,
 * the full ones between them do not; scaled logits.
 */
final class Cohere2 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final LayerNorm norm;
    private final float logitFactor;
    private final List<Layer> layers = new ArrayList<>();

    Cohere2(Fields given, Weights w) {
        Fields f = Defaults.fill(
                given,
                Map.of(
                        "head_dim",
                        128,
                        "num_key_value_heads",
                        8,
                        "rope_traditional",
                        true,
                        "max_position_embeddings",
                        8192));
        Common c = Common.of(f);
        shape = c.shape();
        double eps = f.positive("layer_norm_eps", 1e-5);
        logitFactor = (float) f.number("logit_scale", 0.0625);
        String prefix = c.prefix(w);
        boolean bias = f.flag("attention_bias", false);
        AttentionBlock.Config heads = c.attention(bias, bias);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, Optional.empty(), c.width(), RopeConfig.theta(f, 50000));
        int window = f.count("sliding_window", 1, 4096);
        int pattern = f.count("sliding_window_pattern", 1, 4);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            boolean slides = (i + 1) % pattern != 0;
            AttentionBlock.Place place = new AttentionBlock.Place(
                    layers.size(), spec.withWindow(slides ? window : 0), slides ? Optional.of(rope) : Optional.empty());
            layers.add(new Layer(
                    LayerNorm.load(w, path + ".input_layernorm", c.hidden(), eps),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU, false)));
        }
        norm = LayerNorm.load(w, prefix + "norm", c.hidden(), eps);
        // the family has no head of its own; the frame's norm is not used
        frame = Frame.load(w, c, prefix, true, w.norm(prefix + "norm", c.hidden(), eps, 0));
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
            Rows x = Pointwise.layerNorm(ops, h, layer.norm);
            Rows attended = layer.attention.run(ops, x);
            ops.add(attended, layer.feedForward.run(ops, x), 1);
            ops.add(h, attended, 1);
            ops.release(mark);
        }
        return h;
    }

    @Override
    public Rows logits(Ops ops, Rows hidden) {
        Frame f = frame.orElseThrow();
        Linear head = new Linear(List.of(f.table()), Optional.empty(), false);
        Rows logits = ops.gather(ops.linear(normed(ops, hidden), head), f.vocab(), f.range());
        ops.scale(logits, logitFactor);
        return logits;
    }

    @Override
    public Rows normed(Ops ops, Rows hidden) {
        return Pointwise.layerNorm(ops, hidden, norm);
    }

    private record Layer(LayerNorm norm, AttentionBlock attention, FeedForward feedForward) {}
}
