package skulk.runner.mlx.model;

import java.util.List;

/** The usual layer: attention, then a feed-forward block, each on normed rows and added to what was there. */
record PreNormLayer(Ops.Norm before, AttentionBlock attention, Ops.Norm between, FeedForward feedForward) {

    /** Attention of each layer. */
    static List<AttentionSpec> attention(List<PreNormLayer> layers) {
        return layers.stream().map(l -> l.attention.spec()).toList();
    }

    /**
     * Runs this rank's layers.
     *
     * @param factor of what is added
     * @return the rows that go on, as {@link Architecture#layers} has it: behind the model's last attention only those
     *     whose logits are asked for
     */
    static Rows run(List<PreNormLayer> layers, Ops ops, Rows hidden, float factor) {
        Rows h = hidden;
        for (PreNormLayer layer : layers) {
            int mark = ops.mark();
            boolean only = layer == layers.getLast() && ops.last();
            Rows attended = layer.attention.run(ops, ops.rmsNorm(h, layer.before), only);
            h = only ? ops.wanted(h) : h;
            if (h.count() > 0) {
                ops.add(h, attended, factor);
                ops.add(h, layer.feedForward.run(ops, ops.rmsNorm(h, layer.between)), factor);
            }
            ops.release(mark);
        }
        return h;
    }
}
