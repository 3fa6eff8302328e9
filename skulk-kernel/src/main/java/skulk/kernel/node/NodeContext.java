package skulk.kernel.node;

import skulk.api.cluster.NodeId;
import skulk.kernel.config.Configuration;
import skulk.kernel.plugin.Registry;

/**
 * What the cluster half is made from.
 *
 * @param self this run's id
 * @param configuration resolved from flags, environment, file and defaults
 * @param home where everything the node writes lies
 * @param installation what the program was started from, to start rank processes alike
 * @param registry the offers of the started plugins; empty until they have started
 * @param control the node's own process
 */
public record NodeContext(
        NodeId self,
        Configuration configuration,
        Home home,
        Installation installation,
        Registry registry,
        NodeControl control) {}
