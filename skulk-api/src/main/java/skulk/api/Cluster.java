package skulk.api;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLContext;
import skulk.api.cluster.ClusterView;
import skulk.api.operation.Operation;

/** The cluster as a plugin sees it. Safe for use by several threads. */
public interface Cluster {
    /** The newest view: one volatile read. */
    ClusterView view();

    /** The newest view, then every later one; a slow subscriber skips to the newest. */
    Flow.Publisher<ClusterView> views();

    /**
     * What connections of a plugin's own between members are secured with, complete once the node has joined: mutual TLS that admits exactly the members, or
     * nothing where all members are on this machine. Whoever gets nothing listens on loopback only.
     */
    CompletableFuture<Optional<SSLContext>> tls();

    /**
     * Does something on the cluster, or asks the node for something. Blocks until the answer is there.
     *
     * @throws skulk.api.problem.SkulkException where it cannot be done
     */
    <R> R call(Operation<R> operation);
}
