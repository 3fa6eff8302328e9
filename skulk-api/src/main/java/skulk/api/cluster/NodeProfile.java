package skulk.api.cluster;

import java.util.List;

/**
 * What a node says of itself when it joins; fixed for its life.
 *
 * @param friendlyName stable name for people; unique in a cluster
 * @param version Skulk's version; peers of an incompatible one are refused at join
 * @param addresses of the node, best first, for direct links
 * @param apiPort of its HTTP surface
 * @param preferredCoordinator whether it was started with {@code --force-master}
 */
public record NodeProfile(
        NodeId id,
        String friendlyName,
        String version,
        List<String> addresses,
        int apiPort,
        boolean preferredCoordinator) {
    public NodeProfile {
        addresses = List.copyOf(addresses);
    }
}
