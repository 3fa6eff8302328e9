package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code gpt_oss}: attention sinks, alternating windows, biases everywhere, experts with clamped gates. */
final class GptOss implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    GptOss(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(true, true);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Cut.Range held = w.shares().heads(c.heads(), c.kvHeads()).query();
        Rope rope = RopeConfig.of(f, c.rotated(), 150000);
        List<Integer> windows = windows(c);
        int experts = f.count("num_local_experts", 1);
        int used = f.findCount("num_experts_per_tok", 1).orElseGet(() -> f.count("experts_per_token", 1));
        if (used > experts) {
            throw f.wrong("num_experts_per_tok", "is " + used + " of " + experts + " experts");
        }
        Router router = new Router.SoftmaxLast(experts, used, true);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionSpec own =
                    spec.withWindow(windows.get(i)).withSinks(w.vector(path + ".self_attn.sinks", c.heads(), held));
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), own, Optional.of(rope));
            Mixture.Config mixture = new Mixture.Config(
                    path + ".mlp.experts", path + ".mlp.router", c.hidden(), c.inner(), experts, true);
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    Mixture.load(w, mixture, router, Activation.CLAMPED_SWIGLU)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        // the family always has a head of its own
        frame = Frame.load(w, c, prefix, !w.has(Frame.headPath(prefix) + ".weight"), norm);
    }

    /** {@code layer_types}, otherwise every second layer from the first on has the window. */
    private static List<Integer> windows(Common c) {
        int window = c.fields().count("sliding_window", 1, 128);
        Optional<List<String>> types = c.layerTypes("full_attention", "sliding_attention");
        List<Integer> out = new ArrayList<>();
        for (int i = 0; i < c.layers(); i++) {
            boolean slides = types.isPresent() ? types.get().get(i).equals("sliding_attention") : i % 2 == 0;
            out.add(slides ? window : 0);
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
