package skulk.api;

import java.util.concurrent.Flow;
import skulk.api.cluster.ClusterView;
import skulk.api.operation.Operation;

/** The cluster as a plugin sees it. Safe for use by several threads. */
public interface Cluster {
    /** The newest view: one volatile read. */
    ClusterView view();

    /** The newest view, then every later one; a slow subscriber skips to the newest. */
    Flow.Publisher<ClusterView> views();

    /**
     * Does something on the cluster, or asks the node for something. Blocks until the answer is there.
     *
     * @throws skulk.api.problem.SkulkException where it cannot be done
     */
    <R> R call(Operation<R> operation);
}
