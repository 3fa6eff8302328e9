package skulk.kernel.operation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.cluster.Shard;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** The placements of a view in the contract's shape, section 12, {@code placements}; pure. */
final class PlacementDiagnostics {
    private PlacementDiagnostics() {}

    static List<Json> of(ClusterView view) {
        List<Json> placements = new ArrayList<>();
        for (Instance instance : view.instances().values()) {
            placements.add(of(instance, view));
        }
        return placements;
    }

    private static JsonObject of(Instance instance, ClusterView view) {
        List<NodeId> nodes = instance.shardAssignments().nodesByRank();
        List<Json> runners = new ArrayList<>();
        List<Json> warnings = new ArrayList<>();
        for (NodeId node : nodes) {
            RunnerId runner = instance.shardAssignments().nodeToRunner().get(node);
            runners.add(runner(instance, node, runner, view));
            if (view.runners().get(runner) instanceof RunnerFailed(String why)) {
                warnings.add(new JsonString("runner " + runner + " failed: " + why));
            }
        }
        return JsonObject.builder()
                .put("instanceId", instance.instanceId())
                .put("modelId", instance.modelId())
                .put("masterNodeId", view.master())
                .put(
                        "masterIsPlacementNode",
                        view.master().filter(nodes::contains).isPresent())
                .put("localNodeIsPlacementNode", nodes.contains(view.self()))
                .put("placementNodeIds", nodes)
                .put("runners", new JsonArray(runners))
                .put("warnings", new JsonArray(warnings))
                .build();
    }

    private static JsonObject runner(Instance instance, NodeId node, RunnerId runner, ClusterView view) {
        Shard shard = instance.shardAssignments().runnerToShard().get(runner);
        List<Json> tasks = view.tasks().values().stream()
                .filter(t -> t.instanceId().equals(instance.instanceId())
                        && !t.taskStatus().isFinal())
                .<Json>map(t -> new JsonString(t.taskId().value()))
                .toList();
        return JsonObject.builder()
                .put("runnerId", runner)
                .put("nodeId", node)
                .put(
                        "friendlyName",
                        Optional.ofNullable(view.nodes().get(node))
                                .flatMap(NodeInfo::identity)
                                .map(NodeInfo.Identity::friendlyName))
                .put(
                        "statusKind",
                        Optional.ofNullable(view.runners().get(runner))
                                .map(s -> s.getClass().getSimpleName()))
                .put("deviceRank", shard.deviceRank())
                .put("worldSize", shard.worldSize())
                .put("startLayer", shard.startLayer())
                .put("endLayer", shard.endLayer())
                .put("nLayers", shard.nLayers())
                .put("isLocal", node.equals(view.self()))
                .put("isMaster", view.master().equals(Optional.of(node)))
                .put("tasks", new JsonArray(tasks))
                .build();
    }
}
