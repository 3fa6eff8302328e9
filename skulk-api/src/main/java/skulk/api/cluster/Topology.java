package skulk.api.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which nodes reach which others directly. Directed: an edge is there once its source has verified it.
 *
 * @param nodes all members
 * @param connections source → sink → edges
 */
public record Topology(List<NodeId> nodes, Map<NodeId, Map<NodeId, List<Edge>>> connections) {

    public static final Topology EMPTY = new Topology(List.of(), Map.of());

    public Topology {
        nodes = List.copyOf(nodes);
        connections = Map.copyOf(connections);
    }

    /**
     * One verified way from a source to a sink.
     *
     * @param address of the sink, as the source reaches it
     * @param interfaceType of the source's interface, see {@link NodeInfo.NetworkInterface}
     * @param latencyMicros median round trip measured, or 0
     * @param bytesPerSecond measured throughput, or 0
     */
    public record Edge(String address, int port, String interfaceType, double latencyMicros, double bytesPerSecond) {}

    /** Every node that the given one reaches and is reached by. */
    public List<NodeId> neighbours(NodeId node) {
        List<NodeId> found = new ArrayList<>();
        for (NodeId other : nodes) {
            if (!other.equals(node)
                    && !edges(node, other).isEmpty()
                    && !edges(other, node).isEmpty()) {
                found.add(other);
            }
        }
        return found;
    }

    /** The edges from one node to another, best first. */
    public List<Edge> edges(NodeId source, NodeId sink) {
        return connections.getOrDefault(source, Map.of()).getOrDefault(sink, List.of());
    }

    /** The best edge from one node to another. */
    public Optional<Edge> best(NodeId source, NodeId sink) {
        return edges(source, sink).stream().findFirst();
    }
}
