package skulk.runner.mlx.model;

import java.util.List;
import skulk.runner.mlx.kernel.Activation;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.Weights.Piece;

/**
 * {@code down(act(gate(x)) * up(x))}.
 *
 * @param gateUp gate, then up
 */
record GatedFeedForward(Linear gateUp, Activation activation, Linear down) implements FeedForward {

    /** From {@code gate_proj}, {@code up_proj}, {@code down_proj} below {@code path}. */
    static GatedFeedForward load(Weights w, String path, int hidden, int inner, Activation activation, boolean bias) {
        Range features = w.shares().features(inner);
        Linear gateUp = w.stacked(
                hidden,
                List.of(
                        Piece.of(path + ".gate_proj", inner, features, bias),
                        Piece.of(path + ".up_proj", inner, features, bias)));
        return new GatedFeedForward(gateUp, activation, w.reduced(path + ".down_proj", hidden, inner, features, bias));
    }

    /** From {@code gate_up_proj} and {@code down_proj} below {@code path}. */
    static GatedFeedForward loadFused(Weights w, String path, int hidden, int inner, Activation activation) {
        Range features = w.shares().features(inner);
        Piece both = new Piece(path + ".gate_up_proj", 2 * inner, List.of(features, features.plus(inner)), false);
        return new GatedFeedForward(
                w.stacked(hidden, List.of(both)),
                activation,
                w.reduced(path + ".down_proj", hidden, inner, features, false));
    }

    @Override
    public Rows run(Ops ops, Rows x) {
        return ops.linear(ops.gate(ops.linear(x, gateUp), activation), down);
    }
}
