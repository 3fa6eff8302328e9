package skulk.runner.mlx.runner;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import skulk.api.RankContext;
import skulk.api.RankLinks;
import skulk.api.Runner;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/** Loads real checkpoints into runners and asks them. */
final class Ranks {
    static final Sampling GREEDY = temperature(0, 1);

    private Ranks() {}

    static Sampling temperature(double temperature, long seed) {
        return new Sampling(
                Optional.of(temperature),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(seed),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }

    static Runner load(Path folder, Map<String, String> settings) throws Exception {
        ModelId id = new ModelId("test/" + folder.getFileName());
        Shard shard = Shard.PipelineShardMetadata.of(card(id), 0, 1, 0, 1);
        RunnerId runner = new RunnerId("r");
        Instance instance = new Instance.MlxRingInstance(
                new InstanceId("i"),
                new Instance.ShardAssignments(id, Map.of(runner, shard), Map.of(new NodeId("n"), runner)),
                Optional.empty(),
                Map.of(),
                0,
                Set.of());
        return new MlxRunnerFactory()
                .load(new RankContext(
                        instance,
                        shard,
                        folder,
                        Map.of(),
                        Map.of(),
                        new NoLinks(),
                        List.of(),
                        settings,
                        RankContext.Watcher.silent()));
    }

    static ModelCard card(ModelId id) {
        return new ModelCard(
                id,
                new Memory(1),
                1,
                1,
                false,
                Optional.empty(),
                List.of("TextGeneration"),
                Optional.empty(),
                "",
                "",
                "",
                Optional.empty(),
                List.of(),
                0,
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

    static GenerationRequest request(Prompt prompt, Sampling sampling, int maxTokens) {
        return new GenerationRequest(
                new CommandId(java.util.UUID.randomUUID().toString()),
                new ModelId("test/model"),
                prompt,
                sampling,
                new OutputShape.FreeText(),
                Optional.of(maxTokens),
                List.of(),
                Optional.empty(),
                ReasoningWish.NONE,
                "client",
                List.of());
    }

    static Prompt.Conversation chat(List<Message> messages) {
        return new Prompt.Conversation(messages, List.of(), new ToolChoice.Auto(), true, Map.of());
    }

    /** Submits and collects everything until the last event. */
    static CompletableFuture<List<GenerationEvent>> submit(Runner runner, GenerationRequest request) {
        CompletableFuture<List<GenerationEvent>> result = new CompletableFuture<>();
        List<GenerationEvent> events = new ArrayList<>();
        runner.submit(request, event -> {
            events.add(event);
            if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                result.complete(events);
            }
        });
        return result;
    }

    static List<GenerationEvent> ask(Runner runner, GenerationRequest request) throws Exception {
        return submit(runner, request).get(60, TimeUnit.SECONDS);
    }

    static String text(List<GenerationEvent> events) {
        StringBuilder text = new StringBuilder();
        for (GenerationEvent event : events) {
            if (event instanceof GenerationEvent.Text piece) {
                text.append(piece.text());
            }
        }
        return text.toString();
    }

    static List<Integer> tokens(List<GenerationEvent> events) {
        List<Integer> tokens = new ArrayList<>();
        for (GenerationEvent event : events) {
            if (event instanceof GenerationEvent.Committed(List<Integer> some)) {
                tokens.addAll(some);
            }
        }
        return tokens;
    }

    private record NoLinks() implements RankLinks {
        @Override
        public void send(int rank, MemorySegment data) throws IOException {
            throw new IOException("no rank " + rank);
        }

        @Override
        public void receive(int rank, MemorySegment into) throws IOException {
            throw new IOException("no rank " + rank);
        }
    }
}
