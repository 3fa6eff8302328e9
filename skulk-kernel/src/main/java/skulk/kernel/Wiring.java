package skulk.kernel;

import skulk.kernel.cluster.ClusterServices;
import skulk.kernel.node.NodeContext;
import skulk.kernel.node.Services;

/** Where the two halves of the kernel meet. */
final class Wiring {
    private Wiring() {}

    static Services services(NodeContext context) {
        return ClusterServices.create(context);
    }
}
