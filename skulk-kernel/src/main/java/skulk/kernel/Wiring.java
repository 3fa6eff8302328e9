package skulk.kernel;

import skulk.kernel.node.NodeContext;
import skulk.kernel.node.Services;

/** Where the two halves of the kernel meet. */
final class Wiring {
    private Wiring() {}

    static Services services(NodeContext context) {
        throw new UnsupportedOperationException("the cluster half is not built yet for " + context.self());
    }
}
