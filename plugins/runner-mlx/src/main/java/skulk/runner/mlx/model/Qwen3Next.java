package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.Weights.Piece;

/**
 * {@code qwen3_next}: recurrent layers with the gated delta rule, every few layers one with gated attention, mixtures
 * with a shared expert.
 */
final class Qwen3Next implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final StateSpec state;
    private final List<Layer> layers = new ArrayList<>();

    Qwen3Next(Fields f, Weights w) {
        this(Defaults.fill(f, Map.of("norm_topk_prob", false)), w, Qwen3Next::fused);
    }

    /** @param input how the file lays out what recurrent layers take in */
    Qwen3Next(Fields f, Weights w, Input input) {
        Common c = Common.of(f);
        shape = c.shape();
        String prefix = c.prefix(w);
        GatedDelta.Sizes whole = sizes(f);
        Shares.Heads heads = w.shares().heads(whole.valueHeads(), whole.keyHeads());
        GatedDelta.Sizes own = new GatedDelta.Sizes(
                heads.kv().size(), heads.query().size(), whole.keyWidth(), whole.valueWidth(), whole.taps());
        AttentionBlock.Config attention = attention(c);
        AttentionSpec spec = AttentionBlock.spec(w, attention);
        Rope rope = RopeConfig.of(Defaults.without(f, "rope_traditional"), c.rotated(), 10000);
        int interval = f.count("full_attention_interval", 1, 4);
        float offset = offset(c, w, prefix);
        int recurrent = 0;
        int full = 0;
        GatedDelta.Scratch scratch = new GatedDelta.Scratch();
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            Optional<GatedDelta> delta = Optional.empty();
            Optional<GatedAttention> attended = Optional.empty();
            if ((i + 1) % interval != 0) {
                String part = path + ".linear_attn";
                GatedDelta.Place place = new GatedDelta.Place(recurrent++, c.hidden(), c.eps(), own, scratch);
                Pieces pieces = input.pieces(part, whole, heads);
                GatedDelta.Inputs in = new GatedDelta.Inputs(
                        w.stacked(c.hidden(), pieces.wide), w.stacked(c.hidden(), pieces.decisive));
                delta = Optional.of(GatedDelta.load(w, part, whole, in, place));
            } else {
                String part = path + ".self_attn";
                List<Ops.Norm> norms = List.of(
                        w.norm(part + ".q_norm", c.width(), c.eps(), offset),
                        w.norm(part + ".k_norm", c.width(), c.eps(), offset));
                AttentionBlock.Place place = new AttentionBlock.Place(full++, spec, Optional.of(rope));
                attended = Optional.of(GatedAttention.load(w, part, attention, place, norms));
            }
            layers.add(new Layer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), offset),
                    delta,
                    attended,
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), offset),
                    feedForward(c, w, path + ".mlp", i)));
        }
        state = new StateSpec(recurrent, recurrent * own.state());
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), offset);
        frame = Frame.load(w, c, prefix, Frame.tied(w, c, prefix), norm);
    }

    private static AttentionBlock.Config attention(Common c) {
        boolean bias = c.fields().flag("attention_bias", false);
        return c.attention(bias, bias);
    }

    private static GatedDelta.Sizes sizes(Fields f) {
        GatedDelta.Sizes sizes = new GatedDelta.Sizes(
                f.count("linear_num_key_heads", 1),
                f.count("linear_num_value_heads", 1),
                f.count("linear_key_head_dim", 1),
                f.count("linear_value_head_dim", 1),
                f.count("linear_conv_kernel_dim", 1));
        if (sizes.valueHeads() % sizes.keyHeads() != 0) {
            throw f.wrong("linear_num_value_heads", "is not a multiple of " + sizes.keyHeads() + " key heads");
        }
        return sizes;
    }

    /** Files as first published hold norms minus one; they are known by the order of the convolution's dimensions. */
    private static float offset(Common c, Weights w, String prefix) {
        return IntStream.range(0, c.layers())
                        .mapToObj(i -> prefix + "layers." + i + ".linear_attn.conv1d.weight")
                        .filter(w::has)
                        .findFirst()
                        .filter(name -> w.tensor(name).dim(-1) != 1)
                        .isPresent()
                ? 1
                : 0;
    }

    /** {@code in_proj_qkvz} and {@code in_proj_ba}: by key head its query, key, values and gates, and its b and a. */
    private static Pieces fused(String path, GatedDelta.Sizes z, Shares.Heads heads) {
        int group = z.valueHeads() / z.keyHeads();
        int values = group * z.valueWidth();
        int stride = 2 * z.keyWidth() + 2 * values;
        List<Range> wide = new ArrayList<>();
        for (int from : new int[] {0, z.keyWidth()}) {
            heads.kv().each(h -> wide.add(new Range(h * stride + from, h * stride + from + z.keyWidth())));
        }
        for (int from : new int[] {2 * z.keyWidth(), 2 * z.keyWidth() + values}) {
            heads.query().each(h -> {
                int at = h / group * stride + from + h % group * z.valueWidth();
                wide.add(new Range(at, at + z.valueWidth()));
            });
        }
        List<Range> narrow = new ArrayList<>();
        for (int from : new int[] {0, group}) {
            heads.query().each(h -> {
                int at = h / group * 2 * group + from + h % group;
                narrow.add(new Range(at, at + 1));
            });
        }
        return new Pieces(
                List.of(new Piece(path + ".in_proj_qkvz", z.keyHeads() * stride, wide, false)),
                List.of(new Piece(path + ".in_proj_ba", 2 * z.valueHeads(), narrow, false)));
    }

    private static FeedForward feedForward(Common c, Weights w, String path, int layer) {
        Fields f = c.fields();
        int experts = f.count("num_experts", 0, 0);
        boolean dense = f.numbers("mlp_only_layers").stream()
                .flatMapToDouble(Arrays::stream)
                .anyMatch(l -> l == layer);
        if (dense || experts == 0 || (layer + 1) % f.count("decoder_sparse_step", 1, 1) != 0) {
            return GatedFeedForward.load(w, path, c.hidden(), c.inner(), Activation.SILU, false);
        }
        int used = Router.used(f, "num_experts_per_tok", experts);
        Router router = new Router.SoftmaxFirst(experts, used, f.flag("norm_topk_prob", false), true);
        return SharedExpert.load(w, c, path, router);
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public List<AttentionSpec> attention() {
        return layers.stream()
                .flatMap(l -> l.attention.stream())
                .map(GatedAttention::spec)
                .toList();
    }

    @Override
    public Optional<StateSpec> state() {
        return Optional.of(state);
    }

    @Override
    public Rows embed(Ops ops) {
        return frame.orElseThrow().embed(ops, 1);
    }

    @Override
    public Rows layers(Ops ops, Rows h) {
        for (Layer layer : layers) {
            int mark = ops.mark();
            Rows x = ops.rmsNorm(h, layer.before);
            layer.delta.ifPresent(d -> ops.add(h, d.run(ops, x), 1));
            layer.attention.ifPresent(a -> ops.add(h, a.run(ops, x), 1));
            ops.add(h, layer.feedForward.run(ops, ops.rmsNorm(h, layer.between)), 1);
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

    /** How a file lays out the input projections of a recurrent layer. */
    interface Input {
        Pieces pieces(String path, GatedDelta.Sizes whole, Shares.Heads heads);
    }

    /**
     * Rows for the heads held here.
     *
     * @param wide queries, keys, values, gates
     * @param decisive b, a
     */
    record Pieces(List<Piece> wide, List<Piece> decisive) {}

    /** One of {@code delta} and {@code attention} is there. */
    private record Layer(
            Ops.Norm before,
            Optional<GatedDelta> delta,
            Optional<GatedAttention> attention,
            Ops.Norm between,
            FeedForward feedForward) {}
}
