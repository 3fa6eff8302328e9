package skulk.kernel.rank;

import skulk.api.cluster.InstanceId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;

/**
 * A rank on this node, as planning sees it.
 *
 * @param up whether the process has said that it is ready for orders
 * @param connectOrdered whether it was told to connect
 * @param loadOrdered whether it was told to load
 * @param listening whether it told where it waits for the other ranks
 */
public record LocalRank(
        RunnerId runner,
        InstanceId instance,
        RunnerStatus status,
        boolean up,
        boolean connectOrdered,
        boolean loadOrdered,
        boolean listening) {}
