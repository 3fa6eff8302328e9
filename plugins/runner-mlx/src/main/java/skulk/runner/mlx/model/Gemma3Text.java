package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/**
 * {@code gemma3_text}: norms before and after each part with weights stored minus one, scaled embeddings, windowed
 * layers with a rope base of their own and a full one every few layers.
 */
final class Gemma3Text implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final float embeddingScale;
    private final List<Layer> layers = new ArrayList<>();

    Gemma3Text(Fields f, Weights w) {
        Common c = common(f);
        shape = c.shape();
        // MLX rounds the factor to BF16 before use, as the original does
        embeddingScale = bf16((float) Math.sqrt(c.hidden()));
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(false, false);
        double scale = 1 / Math.sqrt(f.positive("query_pre_attn_scalar", 256));
        AttentionSpec spec =
                AttentionBlock.spec(w, heads).withScale(scale).withSoftcap(f.number("attn_logit_softcapping", 0));
        int window = f.count("sliding_window", 1, 512);
        Rope global = global(f, c);
        Rope local = local(f, c);
        List<Boolean> slides = slides(c);
        Activation activation = c.activation(Activation.GELU_TANH);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            boolean sliding = slides.get(i);
            AttentionBlock.Place place = new AttentionBlock.Place(
                    layers.size(), spec.withWindow(sliding ? window : 0), Optional.of(sliding ? local : global));
            layers.add(new Layer(
                    norm(w, c, path + ".input_layernorm", c.hidden()),
                    AttentionBlock.load(w, path + ".self_attn", heads, place)
                            .withNorms(
                                    norm(w, c, path + ".self_attn.q_norm", c.width()),
                                    norm(w, c, path + ".self_attn.k_norm", c.width())),
                    norm(w, c, path + ".post_attention_layernorm", c.hidden()),
                    norm(w, c, path + ".pre_feedforward_layernorm", c.hidden()),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), activation, false),
                    norm(w, c, path + ".post_feedforward_layernorm", c.hidden())));
        }
        // a head in the file is used whatever the configuration says, as MLX does
        boolean tied = !w.has(Frame.headPath(prefix) + ".weight");
        frame = Frame.load(w, c, prefix, tied, norm(w, c, prefix + "norm", c.hidden()));
    }

    /** Text sections of multimodal checkpoints leave out what equals the defaults of the family. */
    private static Common common(Fields f) {
        var json = f.json();
        json = json.has("num_attention_heads") ? json : json.with("num_attention_heads", 8);
        json = json.has("num_key_value_heads") ? json : json.with("num_key_value_heads", 4);
        json = json.has("head_dim") ? json : json.with("head_dim", 256);
        json = json.has("vocab_size") ? json : json.with("vocab_size", 262208);
        return Common.of(new Fields(f.where(), json));
    }

    private static Ops.Norm norm(Weights w, Common c, String path, int size) {
        return w.norm(path, size, c.eps(), 1);
    }

    private static float bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
    }

    private static Rope global(Fields f, Common c) {
        Optional<Fields> nested = f.object("rope_parameters").flatMap(p -> p.object("full_attention"));
        Optional<Fields> scaling = f.object("rope_scaling").or(() -> nested);
        double base = nested.flatMap(p -> p.findNumber("rope_theta")).orElse(1000000.0);
        return RopeConfig.of(f, scaling, c.rotated(), f.positive("rope_theta", base));
    }

    private static Rope local(Fields f, Common c) {
        Optional<Fields> nested = f.object("rope_parameters").flatMap(p -> p.object("sliding_attention"));
        double base = nested.flatMap(p -> p.findNumber("rope_theta")).orElse(10000.0);
        return RopeConfig.of(f, nested, c.rotated(), f.positive("rope_local_base_freq", base));
    }

    private static List<Boolean> slides(Common c) {
        int pattern = c.fields()
                .findCount("sliding_window_pattern", 1)
                .or(() -> c.fields().findCount("_sliding_window_pattern", 1))
                .orElse(6);
        boolean byPattern = c.fields().json().has("sliding_window_pattern");
        Optional<List<String>> types = c.layerTypes("full_attention", "sliding_attention");
        List<Boolean> out = new ArrayList<>();
        for (int i = 0; i < c.layers(); i++) {
            out.add(
                    types.isPresent() && !byPattern
                            ? types.get().get(i).equals("sliding_attention")
                            : (i + 1) % pattern != 0);
        }
        return out;
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
        return frame.orElseThrow().embed(ops, embeddingScale);
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
