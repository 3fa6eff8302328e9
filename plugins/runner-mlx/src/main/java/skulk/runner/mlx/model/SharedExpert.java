package skulk.runner.mlx.model;

import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.kernel.Activation;

/**
 * A mixture beside an expert that all tokens go through.
 *
 * @param gate one output, whose sigmoid weighs the shared expert; without it the weight is one
 */
record SharedExpert(FeedForward mixture, FeedForward shared, Optional<Linear> gate) implements FeedForward {

    /** From {@code switch_mlp}, {@code gate}, {@code shared_expert} and {@code shared_expert_gate} below {@code path}. */
    static SharedExpert load(Weights w, Common c, String path, Router router) {
        Fields f = c.fields();
        Mixture.Config config = new Mixture.Config(
                path + ".switch_mlp",
                path + ".gate",
                c.hidden(),
                f.count("moe_intermediate_size", 1),
                f.count("num_experts", 1),
                false);
        int inner = f.count("shared_expert_intermediate_size", 1);
        return new SharedExpert(
                Mixture.load(w, config, router, Activation.SILU),
                GatedFeedForward.load(w, path + ".shared_expert", c.hidden(), inner, Activation.SILU, false),
                Optional.of(w.linear(path + ".shared_expert_gate", 1, c.hidden())));
    }

    @Override
    public Rows run(Ops ops, Rows x) {
        Rows y = mixture.run(ops, x);
        Rows both = shared.run(ops, x);
        gate.ifPresent(g -> Pointwise.sigmoidGateRows(ops, both, ops.linearExact(x, g)));
        ops.add(y, both, 1);
        return y;
    }
}
