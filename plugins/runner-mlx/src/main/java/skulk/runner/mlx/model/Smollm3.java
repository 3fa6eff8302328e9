package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code smollm3}: llama with layers whose queries and keys do not turn. */
final class Smollm3 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Smollm3(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        boolean bias = f.flag("attention_bias", false);
        boolean innerBias = f.flag("mlp_bias", false);
        AttentionBlock.Config heads = c.attention(bias, bias);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, c.width(), 10000);
        List<Integer> windows = Llama.windows(c);
        List<Boolean> turns = turns(c);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(
                    layers.size(),
                    spec.withWindow(windows.get(i)),
                    turns.get(i) ? Optional.of(rope) : Optional.empty());
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU, innerBias)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, Frame.tied(w, c, prefix), norm);
    }

    /** {@code no_rope_layers} has a 1, despite its name, where a layer turns; otherwise every n-th layer does not. */
    static List<Boolean> turns(Common c) {
        Optional<double[]> listed = c.fields().numbers("no_rope_layers");
        if (listed.isPresent() && listed.get().length != c.layers()) {
            throw c.fields().wrong("no_rope_layers", "has " + listed.get().length + " entries for " + c.layers());
        }
        int interval = c.fields().count("no_rope_layer_interval", 1, 4);
        List<Boolean> turns = new ArrayList<>();
        for (int i = 0; i < c.layers(); i++) {
            turns.add(listed.isPresent() ? listed.get()[i] != 0 : (i + 1) % interval != 0);
        }
        return turns;
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
