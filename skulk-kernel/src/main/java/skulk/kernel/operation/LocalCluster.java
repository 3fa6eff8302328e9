package skulk.kernel.operation;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import skulk.api.Cluster;
import skulk.api.cluster.ClusterView;
import skulk.api.operation.Operation;
import skulk.kernel.cluster.ClusterNode;

/** The cluster as plugins see it. */
public final class LocalCluster implements Cluster {
    private final ClusterNode cluster;
    private final Supplier<Operations> operations;

    /** @param operations asked at each call; they come to be after this */
    public LocalCluster(ClusterNode cluster, Supplier<Operations> operations) {
        this.cluster = cluster;
        this.operations = operations;
    }

    @Override
    public ClusterView view() {
        return cluster.view();
    }

    @Override
    public Flow.Publisher<ClusterView> views() {
        return cluster.views();
    }

    @Override
    public CompletableFuture<Optional<SSLContext>> tls() {
        return cluster.tls().copy();
    }

    @Override
    @SuppressWarnings("unchecked") // each case of the switch answers what its operation is declared to answer
    public <R> R call(Operation<R> operation) {
        return (R) operations.get().call(operation);
    }
}
