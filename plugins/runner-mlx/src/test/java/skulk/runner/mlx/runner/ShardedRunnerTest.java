package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import skulk.api.RankContext;
import skulk.api.RankLinks;
import skulk.api.Runner;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.model.ModelId;
import skulk.api.problem.SkulkException;

/** Runners of one instance, as the kernel loads them, answer like one alone. */
class ShardedRunnerTest {
    private static final Map<String, String> SETTINGS = Map.of("threads", "1");
    private static final Prompt PROMPT = new Prompt.Text("The sea is");

    @Test
    void layersOverThreeRanks() throws Exception {
        check(
                3,
                rank -> Shard.PipelineShardMetadata.of(
                        Ranks.card(new ModelId("test/tiny")), rank, 3, 2 * rank, 2 * rank + 2));
    }

    @Test
    void tensorsOverTwoRanks() throws Exception {
        check(2, rank -> Shard.TensorShardMetadata.of(Ranks.card(new ModelId("test/tiny")), rank, 2));
    }

    private static void check(int ranks, IntFunction<Shard> shards) throws Exception {
        Path folder = Shared.folder("models/skulk-tiny");
        List<Integer> alone;
        try (Runner runner = Ranks.load(folder, SETTINGS)) {
            alone = Ranks.tokens(Ranks.ask(runner, Ranks.request(PROMPT, Ranks.GREEDY, 24)));
        }
        List<String> order = new CopyOnWriteArrayList<>();
        Map<Integer, BlockingQueue<byte[]>> wires = new ConcurrentHashMap<>();
        List<Future<Runner>> loading = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
            for (int rank = 0; rank < ranks; rank++) {
                RankContext context =
                        context(shards.apply(rank), folder, new Wires(rank, wires), new Noting(rank, order));
                loading.add(threads.submit(() -> new MlxRunnerFactory().load(context)));
            }
        }
        Runner first = loading.getFirst().get();
        assertEquals(
                "0 warms up",
                order.stream()
                        .filter(line -> line.endsWith("warms up"))
                        .reduce((a, b) -> b)
                        .orElseThrow());
        List<java.util.concurrent.CompletableFuture<List<GenerationEvent>>> asked = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            asked.add(Ranks.submit(first, Ranks.request(PROMPT, Ranks.GREEDY, 24)));
        }
        for (var answer : asked) {
            assertEquals(alone, Ranks.tokens(answer.get(60, TimeUnit.SECONDS)));
        }
        Runner last = loading.getLast().get();
        List<GenerationEvent> refused = Ranks.ask(last, Ranks.request(PROMPT, Ranks.GREEDY, 24));
        assertTrue(refused.getFirst() instanceof GenerationEvent.Failed, refused.toString());
        assertThrows(SkulkException.class, () -> last.countTokens(Ranks.request(PROMPT, Ranks.GREEDY, 24)));
        assertTrue(last.report().integer("steps").orElseThrow() > 0);
        for (Future<Runner> runner : loading) {
            runner.get().close();
        }
        assertTrue(order.stream().noneMatch(line -> line.contains("broken")), order.toString());
    }

    private static RankContext context(Shard shard, Path folder, RankLinks links, RankContext.Watcher watcher) {
        RunnerId runner = new RunnerId("r" + shard.deviceRank());
        Instance instance = new Instance.MlxRingInstance(
                new InstanceId("i"),
                new Instance.ShardAssignments(
                        shard.modelCard().modelId(), Map.of(runner, shard), Map.of(new NodeId("n"), runner)),
                Optional.empty(),
                Map.of(),
                0,
                Set.of());
        return new RankContext(instance, shard, folder, Map.of(), Map.of(), links, List.of(), SETTINGS, watcher);
    }

    private record Wires(int self, Map<Integer, BlockingQueue<byte[]>> wires) implements RankLinks {
        private BlockingQueue<byte[]> wire(int from, int to) {
            return wires.computeIfAbsent(from * 100 + to, number -> new LinkedBlockingQueue<>());
        }

        @Override
        public void send(int rank, MemorySegment data) {
            wire(self, rank).add(data.toArray(ValueLayout.JAVA_BYTE));
        }

        @Override
        public void receive(int rank, MemorySegment into) throws IOException {
            try {
                into.copyFrom(MemorySegment.ofArray(wire(rank, self).take()));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    private record Noting(int rank, List<String> order) implements RankContext.Watcher {
        @Override
        public void loading(int layersLoaded, int totalLayers) {
            order.add(rank + " loaded " + layersLoaded + " of " + totalLayers);
        }

        @Override
        public void warmingUp() {
            order.add(rank + " warms up");
        }

        @Override
        public void running(boolean busy) {}

        @Override
        public void phase(String phase, String detail) {}

        @Override
        public void broken(String reason) {
            order.add(rank + " broken: " + reason);
        }
    }
}
