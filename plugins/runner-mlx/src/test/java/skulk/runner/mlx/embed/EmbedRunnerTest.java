package skulk.runner.mlx.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
import skulk.api.generation.Sampling;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.runner.MlxRunnerFactory;

/** An embedding model from its card to its answers. */
class EmbedRunnerTest {
    private static final ModelId MODEL = new ModelId("test/encoder");

    private final Log log = new Log();

    @TempDir
    private Path folder;

    private Runner load(List<String> capabilities, int contextLimit) throws Exception {
        new ToyBert(ToyBert.Spec.plain()).write(folder);
        Shard shard = Shard.PipelineShardMetadata.of(card(capabilities), 0, 1, 0, 1);
        RunnerId runner = new RunnerId("r");
        Instance instance = new Instance.MlxRingInstance(
                new InstanceId("i"),
                new Instance.ShardAssignments(MODEL, Map.of(runner, shard), Map.of(new NodeId("n"), runner)),
                contextLimit == 0 ? Optional.empty() : Optional.of(contextLimit),
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
                        Map.of("threads", "2"),
                        log));
    }

    private static ModelCard card(List<String> capabilities) {
        return new ModelCard(
                MODEL,
                new Memory(1),
                2,
                24,
                false,
                Optional.empty(),
                List.of("TextEmbedding"),
                Optional.empty(),
                "",
                "",
                "",
                Optional.empty(),
                capabilities,
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

    @Test
    void embedsAndSaysWhenItIsBusy() throws Exception {
        try (Runner runner = load(List.of(), 0)) {
            log.calls.clear();
            assertEquals(24, runner.embed(Requests.of(List.of("w1"))).vectors().getFirst().length);
            assertEquals(List.of("running true", "running false"), log.calls);
            log.calls.clear();
            assertThrows(SkulkException.class, () -> runner.embed(Requests.of(List.of())));
            assertEquals(List.of("running true", "running false"), log.calls);
            assertEquals("bert", runner.report().string("modelType").orElseThrow());
        }
    }

    @Test
    void reportsItsLayersButNoWarmUp() throws Exception {
        load(List.of(), 0).close();
        assertEquals(List.of("phase load_model", "loading 2 of 2"), log.calls);
    }

    @Test
    void honoursTheInstancesLimitAndTheCard() throws Exception {
        try (Runner runner = load(List.of("matryoshka"), 5)) {
            SkulkException thrown =
                    assertThrows(SkulkException.class, () -> runner.embed(Requests.of(List.of("w1 w2 w3 w4"))));
            assertTrue(thrown.getMessage().contains("has 6 tokens, the model takes 5"), thrown.getMessage());
            float[] vector = runner.embed(Requests.of(List.of("w1"), Optional.of(3), false))
                    .vectors()
                    .getFirst();
            assertEquals(3, vector.length);
        }
    }

    @Test
    void generatesNothing() throws Exception {
        try (Runner runner = load(List.of(), 0)) {
            List<GenerationEvent> events = new ArrayList<>();
            runner.submit(generation(), events::add).cancel();
            GenerationEvent.Failed failed = assertInstanceOf(GenerationEvent.Failed.class, events.getFirst());
            assertEquals(Kind.USER_ERROR, failed.problem().kind());
            assertEquals(1, events.size());
            assertThrows(SkulkException.class, () -> runner.countTokens(generation()));
        }
    }

    private static GenerationRequest generation() {
        return new GenerationRequest(
                new CommandId("command"),
                MODEL,
                new GenerationRequest.Prompt.Text("w1"),
                new Sampling(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Map.of()),
                new GenerationRequest.OutputShape.FreeText(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                "client",
                List.of());
    }

    private static final class Log implements RankContext.Watcher {
        private final List<String> calls = new ArrayList<>();

        @Override
        public void loading(int layersLoaded, int totalLayers) {
            calls.add("loading " + layersLoaded + " of " + totalLayers);
        }

        @Override
        public void warmingUp() {
            calls.add("warming up");
        }

        @Override
        public void running(boolean busy) {
            calls.add("running " + busy);
        }

        @Override
        public void phase(String phase, String detail) {
            calls.add("phase " + phase);
        }

        @Override
        public void broken(String reason) {
            calls.add("broken " + reason);
        }
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
