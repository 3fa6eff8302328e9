package skulk.kernel.node;

import java.io.IOException;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.Telemetry;

/**
 * The cluster half of the kernel as the node drives it: made before the plugins start (they are lent {@link #cluster()}, {@link #inference()} and
 * {@link #telemetry()}), started once the plugins have and the HTTP port is bound, closed before the plugins stop.
 */
public interface Services extends AutoCloseable {
    Cluster cluster();

    Inference inference();

    Telemetry telemetry();

    /**
     * Joins the cluster and begins to supervise; returns once {@link Cluster#view()} names this node.
     *
     * @throws IOException where the membership cannot be joined; the message says which address or port and why
     */
    void start() throws IOException;

    /** Withdraws ranks and leaves in good order; bounded in time. Also called where {@link #start()} was not or threw. */
    @Override
    void close();
}
