package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code llama4_text}: norms without weights on query and key heads, layers that do not turn, a head named {@code output}. */
final class Llama4Text implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();

    Llama4Text(Fields given, Weights w) {
        Fields f = Defaults.fill(given, Map.of("rope_traditional", true));
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(false, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, Optional.empty(), c.width(), RopeConfig.theta(f, 500000));
        List<Boolean> turns = Smollm3.turns(c);
        int inner = f.count("intermediate_size_mlp", 1);
        Ops.Norm plain = Ops.Norm.plain(c.width(), c.eps());
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place =
                    new AttentionBlock.Place(layers.size(), spec, turns.get(i) ? Optional.of(rope) : Optional.empty());
            AttentionBlock block = AttentionBlock.load(w, path + ".self_attn", heads, place);
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    f.flag("use_qk_norm", false) ? block.withNorms(plain, plain) : block,
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".feed_forward", c.hidden(), inner, Activation.SILU, false)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        Optional<Frame> tied = Frame.load(w, c, prefix, true, norm);
        frame = f.flag("tie_word_embeddings", false) ? tied : tied.map(t -> withHead(t, w, c, prefix));
    }

    private static Frame withHead(Frame t, Weights w, Common c, String prefix) {
        String path = prefix.substring(0, prefix.length() - "model.".length()) + "output";
        return new Frame(
                t.vocab(),
                t.range(),
                t.table(),
                Optional.of(w.matrix(path, c.vocab(), c.hidden(), Cut.rows(c.hidden(), t.range()))),
                t.norm());
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
