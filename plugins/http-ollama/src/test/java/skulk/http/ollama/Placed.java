package skulk.http.ollama;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;

/** Cards, and a cluster with one model placed on one node. */
final class Placed {
    private Placed() {}

    static ModelCard card(String id) {
        return card(id, "TextGeneration");
    }

    static ModelCard embedder(String id) {
        return card(id, "TextEmbedding");
    }

    private static ModelCard card(String id, String task) {
        return new ModelCard(
                new ModelId(id),
                new Memory(3L * 1024 * 1024),
                2,
                64,
                true,
                Optional.of(2),
                List.of(task),
                Optional.empty(),
                "llama",
                "4bit",
                "",
                Optional.empty(),
                List.of("text"),
                2048,
                false,
                true,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    static ClusterView view(String model, Optional<Integer> limit) {
        NodeId node = new NodeId("self");
        RunnerId runner = new RunnerId("r");
        Instance instance = new Instance.MlxRingInstance(
                new InstanceId("i"),
                new Instance.ShardAssignments(
                        new ModelId(model),
                        Map.of(runner, Shard.PipelineShardMetadata.of(card(model), 0, 1, 0, 2)),
                        Map.of(node, runner)),
                limit,
                Map.of(),
                50000,
                Set.of());
        return new ClusterView(
                node,
                Optional.of(node),
                1,
                List.of(node),
                Map.of(instance.instanceId(), instance),
                Map.of(runner, new RunnerStatus.RunnerReady()),
                Map.of(),
                Map.of(),
                Map.of(),
                Topology.EMPTY,
                Map.of(),
                false,
                0);
    }

    static Operation.NodeFacts node() {
        return new Operation.NodeFacts(new NodeId("self"), "host", "127.0.0.1", "name", 1, "0.1.0", "/home");
    }
}
