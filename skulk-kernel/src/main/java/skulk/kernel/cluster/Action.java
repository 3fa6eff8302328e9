package skulk.kernel.cluster;

import skulk.api.cluster.Instance;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;

/** Something this node has to do next. */
public sealed interface Action {
    /** Make the files of a shard available. */
    record Fetch(Shard shard) implements Action {}

    record CreateRank(Instance instance, RunnerId runner, Shard shard) implements Action {}

    /** Tell a rank where the others listen. */
    record ConnectRank(Instance instance, RunnerId runner) implements Action {}

    record LoadRank(RunnerId runner) implements Action {}

    /** @param lost because its instance or another rank of it was lost, not because somebody deleted it: its requests may go on */
    record StopRank(RunnerId runner, boolean lost) implements Action {}
}
