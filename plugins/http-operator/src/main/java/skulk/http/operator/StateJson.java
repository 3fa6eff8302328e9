package skulk.http.operator;

import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeHealth;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Topology;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;

/**
 * {@code GET /state} out of a view (contract section 1). Every key is always there; telemetry maps list only nodes that are in {@code lastSeen}. Ids are
 * sorted, so that equal states are equal texts.
 */
final class StateJson {
    private static final NodeInfo.Identity NOBODY =
            new NodeInfo.Identity("Unknown", "Unknown", "Unknown", "Unknown", "Unknown", "Unknown", "Unknown");

    private final ClusterView view;
    private final List<NodeId> live;

    private StateJson(ClusterView view) {
        this.view = view;
        live = view.members().stream().filter(view.nodes()::containsKey).toList();
    }

    static JsonObject of(ClusterView view) {
        return new StateJson(view).build();
    }

    private JsonObject build() {
        Json identities = perNode(node -> Optional.of(node.identity().orElse(NOBODY)));
        return JsonObject.builder()
                .put("instances", sorted(view.instances()))
                .put("runners", sorted(view.runners()))
                .put("tasks", sorted(view.tasks()))
                .put("downloads", sorted(view.downloads()))
                // microseconds: the most that common clients parse
                .put("lastSeen", perNode(node -> Optional.of(node.lastSeen().truncatedTo(ChronoUnit.MICROS))))
                .put("topology", topology(view.topology()))
                .put("tracingEnabled", view.tracingEnabled())
                .put("lastEventAppliedIdx", view.lastEventAppliedIdx())
                .put("nodeIdentities", identities)
                // the runbook's spelling of the same map
                .put("node_identities", identities)
                .put("nodeMemory", perNode(NodeInfo::memory))
                .put("nodeDisk", perNode(NodeInfo::disk))
                .put("nodeSystem", perNode(NodeInfo::system))
                .put("nodeNetwork", perNode(node -> Optional.of(network(node))))
                .put("nodeThunderbolt", JsonObject.EMPTY)
                .put("nodeThunderboltBridge", JsonObject.EMPTY)
                .put("thunderboltBridgeCycles", List.of())
                .put("nodeRdmaCtl", JsonObject.EMPTY)
                .put("nodeHealth", health())
                .put("nodeResources", perNode(NodeInfo::resources))
                .build();
    }

    private static JsonObject network(NodeInfo node) {
        return JsonObject.of("interfaces", Records.toJson(node.network()));
    }

    private JsonObject health() {
        JsonObject.Builder all = JsonObject.builder();
        NodeHealth well = new NodeHealth("ok", List.of());
        for (NodeId id : sortedIds(live)) {
            all.put(id.value(), Records.toJson(view.nodeHealth().getOrDefault(id, well)));
        }
        return all.build();
    }

    private JsonObject perNode(Function<NodeInfo, Optional<?>> part) {
        JsonObject.Builder all = JsonObject.builder();
        for (NodeId id : sortedIds(live)) {
            part.apply(view.nodes().get(id)).ifPresent(value -> all.put(id.value(), Records.toJson(value)));
        }
        return all.build();
    }

    private static JsonObject sorted(Map<? extends Records.Id, ?> map) {
        JsonObject.Builder all = JsonObject.builder();
        map.entrySet().stream()
                .sorted(Comparator.comparing(e -> e.getKey().value()))
                .forEach(e -> all.put(e.getKey().value(), Records.toJson(e.getValue())));
        return all.build();
    }

    private static List<NodeId> sortedIds(Iterable<NodeId> ids) {
        return java.util.stream.StreamSupport.stream(ids.spliterator(), false)
                .sorted(Comparator.comparing(NodeId::value))
                .toList();
    }

    private static JsonObject topology(Topology topology) {
        JsonObject.Builder sources = JsonObject.builder();
        for (NodeId source : sortedIds(topology.connections().keySet())) {
            Map<NodeId, List<Topology.Edge>> sinks = topology.connections().get(source);
            JsonObject.Builder links = JsonObject.builder();
            for (NodeId sink : sortedIds(sinks.keySet())) {
                links.put(
                        sink.value(),
                        sinks.get(sink).stream().map(StateJson::edge).toList());
            }
            sources.put(source.value(), links.build());
        }
        return JsonObject.builder()
                .put(
                        "nodes",
                        new JsonArray(topology.nodes().stream()
                                .map(id -> Json.of(id.value()))
                                .toList()))
                .put("connections", sources.build())
                .build();
    }

    /** The contract's socket edge, and beside it what was measured on the link. */
    private static JsonObject edge(Topology.Edge edge) {
        String family = edge.address().contains(":") ? "ip6" : "ip4";
        return JsonObject.builder()
                .put(
                        "sinkMultiaddr",
                        JsonObject.builder()
                                .put("address", "/" + family + "/" + edge.address() + "/tcp/" + edge.port())
                                .put("address_type", family)
                                .put("ip_address", edge.address())
                                .put("port", edge.port())
                                .build())
                .put("interfaceType", edge.interfaceType())
                .put("latencyMicros", edge.latencyMicros())
                .put("bytesPerSecond", edge.bytesPerSecond())
                .build();
    }
}
