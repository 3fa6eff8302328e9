package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/** {@code granite}: factors on embeddings, scores, residual additions and logits. */
final class Granite implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<PreNormLayer> layers = new ArrayList<>();
    private final float embeddingFactor;
    private final float residualFactor;
    private final float logitDivisor;

    Granite(Fields given, Weights w) {
        Fields f = Defaults.without(given, "head_dim");
        Common c = Common.of(f);
        shape = c.shape();
        embeddingFactor = (float) f.number("embedding_multiplier");
        residualFactor = (float) f.number("residual_multiplier");
        logitDivisor = (float) f.positive("logits_scaling", 1);
        String prefix = c.prefix(w);
        boolean bias = f.flag("attention_bias", false);
        AttentionBlock.Config heads = c.attention(bias, bias);
        AttentionSpec spec = AttentionBlock.spec(w, heads).withScale(f.number("attention_multiplier"));
        Rope rope = RopeConfig.of(Defaults.without(f, "rope_traditional"), c.width(), 10000);
        boolean innerBias = f.flag("mlp_bias", false);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place = new AttentionBlock.Place(layers.size(), spec, Optional.of(rope));
            layers.add(new PreNormLayer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU, innerBias)));
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
        return frame.orElseThrow().embed(ops, embeddingFactor);
    }

    @Override
    public Rows layers(Ops ops, Rows hidden) {
        return PreNormLayer.run(layers, ops, hidden, residualFactor);
    }

    @Override
    public Rows logits(Ops ops, Rows hidden) {
        Rows logits = frame.orElseThrow().logits(ops, hidden);
        ops.divide(logits, logitDivisor);
        return logits;
    }

    @Override
    public Rows normed(Ops ops, Rows hidden) {
        return frame.orElseThrow().normed(ops, hidden);
    }
}
