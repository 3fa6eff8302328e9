package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.kernel.RowKernels;

/** {@code ministral3}: llama whose queries grow with the logarithm of their position, in steps of the original context. */
final class Ministral3 implements Architecture {
    private final Shape shape;
    private final Optional<Frame> frame;
    private final List<Layer> layers = new ArrayList<>();
    private final double growth;
    private final double stride;

    Ministral3(Fields given, Weights w) {
        Fields f = Defaults.without(given, "rope_traditional", "rope_scaling", "rope_theta");
        Common c = Common.of(f);
        shape = c.shape();
        Fields positions = f.object("rope_parameters").orElseThrow(() -> f.wrong("rope_parameters", "is missing"));
        growth = positions.number("llama_4_scaling_beta");
        stride =
                positions.positive("original_max_position_embeddings", c.shape().maxContext());
        String prefix = c.prefix(w);
        AttentionBlock.Config heads = c.attention(false, false);
        AttentionSpec spec = AttentionBlock.spec(w, heads);
        Rope rope = RopeConfig.of(f, c.width(), 10000);
        List<Integer> windows = Llama.windows(c);
        for (int i : c.held(w.shares().shard())) {
            String path = prefix + "layers." + i;
            AttentionBlock.Place place =
                    new AttentionBlock.Place(layers.size(), spec.withWindow(windows.get(i)), Optional.of(rope));
            layers.add(new Layer(
                    w.norm(path + ".input_layernorm", c.hidden(), c.eps(), 0),
                    AttentionBlock.load(w, path + ".self_attn", heads, place),
                    w.norm(path + ".post_attention_layernorm", c.hidden(), c.eps(), 0),
                    GatedFeedForward.load(w, path + ".mlp", c.hidden(), c.inner(), Activation.SILU, false)));
        }
        Ops.Norm norm = w.norm(prefix + "norm", c.hidden(), c.eps(), 0);
        frame = Frame.load(w, c, prefix, Frame.tied(w, c, prefix), norm);
    }

    private Rows attend(Ops ops, Rows x, AttentionBlock block) {
        Rows qkv = ops.linear(x, block.qkv());
        int width = block.spec().heads() * block.spec().keyWidth();
        int[] positions = ops.step().positions();
        RowKernels kernels = ops.backend().rows();
        block.turn(ops, qkv);
        ops.forRows(qkv.count(), row -> {
            float factor = kernels.narrow((float) (1 + growth * Math.log(1 + Math.floor(positions[row] / stride))));
            for (int i = qkv.at(row); i < qkv.at(row) + width; i++) {
                qkv.data()[i] = kernels.narrow(qkv.data()[i] * factor);
            }
        });
        return block.attendTurned(ops, qkv, false);
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
            ops.add(h, attend(ops, ops.rmsNorm(h, layer.before), layer.attention), 1);
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

    private record Layer(Ops.Norm before, AttentionBlock attention, Ops.Norm between, FeedForward feedForward) {}
}
