package skulk.runner.mlx.shard;

import java.util.ArrayList;
import java.util.List;
import skulk.api.RankLinks;
import skulk.api.cluster.Shard;
import skulk.runner.mlx.model.Collectives;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.StepPlan;

/**
 * The ranks of one instance as rank 0 sees them: it sends every step's plan to the others before it runs the step itself. One thread at a time.
 *
 * <p>In order: all ranks load (they agree on the caches at its end) and {@link #meet}, rank 0 warms up by steps that all take, {@link #ready} lets the others report that they
 * are ready, {@link #close} ends them. A failed link throws {@link java.io.UncheckedIOException} naming the pair.
 */
public final class RankGroup implements AutoCloseable {
    private final LinkCollectives collectives;
    private final List<PlanChannel> followers = new ArrayList<>();

    /** @param links to the others; unused with a single rank */
    public RankGroup(RankLinks links, int rank, int ranks) {
        collectives = new LinkCollectives(links, rank, ranks);
        for (int peer = 1; rank == 0 && peer < ranks; peer++) {
            followers.add(new PlanChannel(collectives.wire(peer)));
        }
    }

    /** What a decoder of this rank is loaded with. */
    public Collectives collectives() {
        return collectives;
    }

    /** Which part of the model a rank loads. */
    public static LoadOptions.Shard part(Shard shard) {
        return switch (shard) {
            case Shard.PipelineShardMetadata p ->
                p.worldSize() == 1 ? LoadOptions.Shard.whole() : LoadOptions.Shard.layers(p.startLayer(), p.endLayer());
            case Shard.TensorShardMetadata t -> LoadOptions.Shard.tensors(t.deviceRank(), t.worldSize());
        };
    }

    /** Steps that can be under way at once. */
    public static int overlap(Shard shard) {
        return shard instanceof Shard.PipelineShardMetadata ? shard.worldSize() : 1;
    }

    /** Rank 0's decoder, loaded with {@link #collectives()}; closing it ends the group. */
    public Decoder leading(Decoder decoder) {
        return new LeadingDecoder(decoder, this);
    }

    /** Waits until all ranks are here. */
    public void meet() {
        collectives.allReduce(new float[1], 0, 1);
    }

    /** Tells the followers of a step. Rank 0 only. */
    public void plan(StepPlan plan) {
        if (!followers.isEmpty()) {
            byte[] encoded = plan.encode();
            followers.forEach(follower -> follower.sendPlan(encoded));
        }
    }

    /** The warm-up is over. Rank 0 only. */
    public void ready() {
        followers.forEach(follower -> follower.send(new PlanChannel.Frame.Ready()));
    }

    /** The channel on which a follower hears of rank 0. */
    PlanChannel leader() {
        return new PlanChannel(collectives.wire(0));
    }

    /** Ends the followers, if this is rank 0; those whose link is gone end by that. The links stay open. */
    @Override
    public void close() {
        for (PlanChannel follower : followers) {
            try {
                follower.send(new PlanChannel.Frame.Shutdown());
            } catch (java.io.UncheckedIOException e) {
                System.getLogger(RankGroup.class.getName())
                        .log(System.Logger.Level.DEBUG, "a follower is gone: {0}", e.getMessage());
            }
        }
        collectives.close();
    }
}
