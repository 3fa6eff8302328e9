package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code qwen2}: biases on queries, keys and values; a window on the upper layers if switched on. */
final class Qwen2 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Qwen2(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(true, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, c.rotated(), 1000000);
        List<Integer> windows = windows(c);
        Activation activation = c.activation(Activation.SILU);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place =
                    new AttentionBlock.Place(layers.size(), spec.withWindow(windows.get(i)), Optional.of(rope));
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), activation, false)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, Frame.tied(w, c, prefix), norm);
    }

    /** {@code use_sliding_window} with {@code layer_types}, or from layer {@code max_window_layers} on. */
    static List<Integer> windows(Common c) {
        int window = c.fields().count("sliding_window", 1, 0);
        boolean used = c.fields().flag("use_sliding_window", false) && window > 0;
        int first = c.fields().count("max_window_layers", 0, 28);
        Optional<List<String>> types = c.layerTypes("full_attention", "sliding_attention");
        List<Integer> out = new ArrayList<>();
        for (int i = 0; i < c.layers(); i++) {
            boolean slides = types.isPresent() ? types.get().get(i).equals("sliding_attention") : i >= first;
            out.add(used && slides ? window : 0);
        }
        return out;
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
