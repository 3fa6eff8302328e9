package skulk.kernel.rank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.Cluster;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.Sampling;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/** Values that several tests need. */
public final class Samples {
    private Samples() {}

    public static ModelCard card(String id) {
        return new ModelCard(
                new ModelId(id),
                new Memory(1 << 20),
                4,
                64,
                true,
                Optional.of(2),
                List.of("TextGeneration"),
                Optional.empty(),
                "llama",
                "4bit",
                id,
                Optional.empty(),
                List.of("text"),
                2048,
                false,
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /** A pipeline of one rank per node, in that order. */
    public static Instance instance(String model, NodeId... nodes) {
        Map<RunnerId, Shard> shards = new HashMap<>();
        Map<NodeId, RunnerId> runners = new HashMap<>();
        for (int rank = 0; rank < nodes.length; rank++) {
            RunnerId runner = RunnerId.random();
            shards.put(
                    runner,
                    Shard.PipelineShardMetadata.of(
                            card(model), rank, nodes.length, 4 * rank / nodes.length, 4 * (rank + 1) / nodes.length));
            runners.put(nodes[rank], runner);
        }
        return new Instance.MlxRingInstance(
                InstanceId.random(),
                new Instance.ShardAssignments(new ModelId(model), shards, runners),
                Optional.of(2048),
                Map.of(),
                50000,
                Set.of());
    }

    public static RankSpec spec(Instance instance, NodeId node, String misbehaviour) {
        RunnerId runner = instance.shardAssignments().nodeToRunner().get(node);
        return new RankSpec(
                instance,
                runner,
                instance.shardAssignments().runnerToShard().get(runner),
                new RankSpec.Files(Path.of("."), Map.of(), Map.of()),
                Map.of("test", misbehaviour));
    }

    public static GenerationRequest request(String model, int tokens) {
        return new GenerationRequest(
                CommandId.random(),
                new ModelId(model),
                new GenerationRequest.Prompt.Text("count"),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.FreeText(),
                Optional.of(tokens),
                List.of(),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                "test",
                List.of());
    }

    /** Child JVMs of the classes under test, on the class path. */
    public static RankSpec.Launch launch(Path sockets, RankSpec.Deadlines deadlines) {
        String classPath = location(RankMain.class)
                + java.io.File.pathSeparator
                + Path.of("target/test-classes").toAbsolutePath()
                + java.io.File.pathSeparator
                + location(Cluster.class);
        return new RankSpec.Launch(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        classPath,
                        TestRank.class.getName()),
                List.of(),
                JsonObject.EMPTY,
                sockets,
                sockets,
                deadlines);
    }

    private static String location(Class<?> type) {
        return Path.of(java.net.URI.create(
                        type.getProtectionDomain().getCodeSource().getLocation().toString()))
                .toString();
    }

    public static RankSpec.Deadlines quick() {
        return new RankSpec.Deadlines(
                Duration.ofSeconds(60),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                Duration.ofSeconds(1),
                Duration.ofSeconds(60),
                Duration.ofMillis(4500),
                Duration.ofSeconds(2));
    }
}
