package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/**
 * {@code gemma2}: soft caps on scores and logits, norms before and after each part with weights stored minus one, scaled
 * embeddings. Every layer sees the whole sequence, as in MLX, which does not apply {@code sliding_window} here.
 */
final class Gemma2 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<Layer> layers = new ArrayList<>();
    private final double logitCap;

    Gemma2(Fields f, Weights w) {
        Common c = Common.of(f);
        shape = c.shape();
        logitCap = f.positive("final_logit_softcapping", 30);
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(false, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads)
                .withScale(1 / Math.sqrt(f.positive("query_pre_attn_scalar", 144)))
                .withSoftcap(f.positive("attn_logit_softcapping", 50));
        Rope rope = RopeConfig.of(f, Optional.empty(), c.width(), RopeConfig.theta(f, 10000));
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            layers.add(new Layer(
                    norm(w, c, path + ".input_layernorm"),
                    AttentionBlock.load(
                            w,
                            path + ".self_attn",
                            heads,
                            new AttentionBlock.Place(layers.size(), spec, Optional.of(rope))),
                    norm(w, c, path + ".post_attention_layernorm"),
                    norm(w, c, path + ".pre_feedforward_layernorm"),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.GELU_TANH, false),
                    norm(w, c, path + ".post_feedforward_layernorm")));
        }
        // the family has no head of its own
        frame = Frame.load(w, c, prefix, true, norm(w, c, prefix + "norm"));
    }

    private static Ops.Norm norm(Weights w, Common c, String path) {
        return w.norm(path, c.hidden(), c.eps(), 1);
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
        return frame.orElseThrow().embed(ops, (float) Math.sqrt(shape.hidden()));
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
        Rows logits = frame.orElseThrow().logits(ops, hidden);
        Pointwise.softcap(ops, logits, logitCap);
        return logits;
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
