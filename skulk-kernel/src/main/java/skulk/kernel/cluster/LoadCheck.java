package skulk.kernel.cluster;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.Shard;
import skulk.api.placement.ModelDemand;
import skulk.api.placement.NodeBudget;

/**
 * A node's own look at its memory before a rank loads, for others may have taken some since the model was placed (contract section 9.2). Pure.
 *
 * <p>A refusal is a failed rank whose message begins with {@link #REFUSED}; the coordinator then places the model elsewhere, see {@link Replanning}.
 */
final class LoadCheck {
    /** How the message of a rank begins that a node did not start for want of memory. */
    static final String REFUSED = "Not enough memory to load: ";

    /** What was planned may be missed by so much. */
    private static final double TOLERANCE = 1.10;

    private LoadCheck() {}

    /**
     * @param node what this node knows of itself
     * @param ending shards whose ranks are ending here: their memory counts as free
     * @return why the shard must not be loaded, with the numbers
     */
    static Optional<String> refusal(NodeInfo node, Shard shard, List<Shard> ending) {
        ModelDemand demand = ModelDemand.of(shard.modelCard());
        double share = ModelDemand.share(shard);
        long need = demand.required(share);
        long freed = ending.stream()
                .mapToLong(s -> ModelDemand.of(s.modelCard()).required(ModelDemand.share(s)))
                .sum();
        return NodeBudget.of(node)
                .filter(budget -> need > TOLERANCE * Math.min(budget.ceiling(), budget.usable() + freed))
                .map(budget -> "%s%s needs ~%s (%s weights + %s KV@%dtok + runtime headroom) but can use %s (%s)"
                        .formatted(
                                REFUSED,
                                shard.modelCard().modelId(),
                                ModelDemand.gb(need),
                                ModelDemand.gb(demand.weightBytes(share)),
                                ModelDemand.gb(demand.kvBytes(share)),
                                ModelDemand.KV_TOKENS,
                                ModelDemand.gb(budget.usable()),
                                budget.rule()));
    }

    /** The message of a rank that was not started for want of memory. */
    static Optional<String> refused(RunnerStatus status) {
        return status instanceof RunnerFailed(String message) && message.startsWith(REFUSED)
                ? Optional.of(message)
                : Optional.empty();
    }
}
