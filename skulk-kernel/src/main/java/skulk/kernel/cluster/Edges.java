package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Topology.Edge;

/** The edges of a topology as immutable maps, best edge first: by kind of interface, then by latency (design section 5). */
final class Edges {
    private static final List<String> KINDS = List.of("thunderbolt", "ethernet", "maybe_ethernet", "wifi", "unknown");
    private static final Comparator<Edge> BEST_FIRST = Comparator.<Edge>comparingInt(e -> rank(e.interfaceType()))
            .thenComparingDouble(e -> e.latencyMicros() <= 0 ? Double.MAX_VALUE : e.latencyMicros())
            .thenComparing(Edge::address)
            .thenComparingInt(Edge::port);

    private Edges() {}

    private static int rank(String kind) {
        int at = KINDS.indexOf(kind);
        return at < 0 ? KINDS.size() : at;
    }

    /** Adds an edge, replacing what was known of the same address. */
    static Map<NodeId, Map<NodeId, List<Edge>>> add(
            Map<NodeId, Map<NodeId, List<Edge>>> edges, Event.Connection connection) {
        List<Edge> list = others(edges, connection);
        list.add(connection.edge());
        list.sort(BEST_FIRST);
        return with(edges, connection.source(), connection.sink(), list);
    }

    static Map<NodeId, Map<NodeId, List<Edge>>> remove(
            Map<NodeId, Map<NodeId, List<Edge>>> edges, Event.Connection connection) {
        return with(edges, connection.source(), connection.sink(), others(edges, connection));
    }

    /**
     * The addresses to try for a rank of another node.
     *
     * @param placed the one that placement chose, if any
     * @param verified edges to that node, best first
     * @param told what the node says of itself; tried last, for a link may have come up since
     */
    static List<String> inOrder(List<String> placed, List<Edge> verified, List<String> told) {
        Set<String> addresses = new LinkedHashSet<>(placed);
        verified.forEach(edge -> addresses.add(edge.address()));
        addresses.addAll(told);
        return List.copyOf(addresses);
    }

    /** Without every edge from or to a node. */
    static Map<NodeId, Map<NodeId, List<Edge>>> without(Map<NodeId, Map<NodeId, List<Edge>>> edges, NodeId node) {
        Map<NodeId, Map<NodeId, List<Edge>>> kept = new HashMap<>();
        edges.forEach((source, sinks) -> {
            if (!source.equals(node)) {
                Map<NodeId, List<Edge>> rest = new HashMap<>(sinks);
                rest.remove(node);
                if (!rest.isEmpty()) {
                    kept.put(source, Map.copyOf(rest));
                }
            }
        });
        return kept;
    }

    private static List<Edge> others(Map<NodeId, Map<NodeId, List<Edge>>> edges, Event.Connection connection) {
        List<Edge> list = new ArrayList<>(
                edges.getOrDefault(connection.source(), Map.of()).getOrDefault(connection.sink(), List.of()));
        Edge edge = connection.edge();
        list.removeIf(e -> e.address().equals(edge.address()) && e.port() == edge.port());
        return list;
    }

    private static Map<NodeId, Map<NodeId, List<Edge>>> with(
            Map<NodeId, Map<NodeId, List<Edge>>> edges, NodeId source, NodeId sink, List<Edge> list) {
        Map<NodeId, Map<NodeId, List<Edge>>> copy = new HashMap<>(edges);
        Map<NodeId, List<Edge>> sinks = new HashMap<>(edges.getOrDefault(source, Map.of()));
        if (list.isEmpty()) {
            sinks.remove(sink);
        } else {
            sinks.put(sink, List.copyOf(list));
        }
        if (sinks.isEmpty()) {
            copy.remove(source);
        } else {
            copy.put(source, Map.copyOf(sinks));
        }
        return copy;
    }
}
