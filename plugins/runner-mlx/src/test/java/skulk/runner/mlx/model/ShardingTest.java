package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import skulk.runner.mlx.model.LoadOptions.Shard;

/** Models split over several ranks, of which each has its own share of the files only, give the logits of the whole. */
@Execution(ExecutionMode.SAME_THREAD)
class ShardingTest {
    @TempDir
    private Path temp;

    @TestFactory
    Stream<DynamicTest> splitsByLayers() {
        return cases(golden -> ranks -> {
            int layers = layers(golden);
            return rank -> Shard.layers(rank * layers / ranks, (rank + 1) * layers / ranks);
        });
    }

    @TestFactory
    Stream<DynamicTest> splitsByTensors() {
        return cases(golden -> ranks -> rank -> Shard.tensors(rank, ranks));
    }

    private static int layers(Golden golden) {
        try (Decoder decoder = DecoderLoader.load(golden.folder(), options())) {
            return decoder.spec().layers();
        }
    }

    private static LoadOptions options() {
        return LoadOptions.defaults().withThreads(1);
    }

    private Stream<DynamicTest> cases(java.util.function.Function<Golden, IntFunction<IntFunction<Shard>>> split) {
        assumeTrue(!Golden.all().isEmpty(), "no golden checkpoints at " + Golden.shared());
        return Golden.all().stream()
                .flatMap(golden -> IntStream.of(2, 3, 4)
                        .mapToObj(ranks -> DynamicTest.dynamicTest(golden.name() + " over " + ranks, () -> {
                            check(golden, ranks, split.apply(golden).apply(ranks));
                        })));
    }

    private void check(Golden golden, int ranks, IntFunction<Shard> shards) throws Exception {
        float[][] whole;
        long bytes;
        try (Decoder decoder = DecoderLoader.load(golden.folder(), options())) {
            whole = Golden.evaluate(decoder, golden, 9);
            bytes = decoder.spec().weightBytes();
        }
        LocalRanks links = new LocalRanks(ranks);
        List<Callable<Long>> work = new ArrayList<>();
        long files = 0;
        for (int rank = 0; rank < ranks; rank++) {
            Path folder = Files.createTempDirectory(temp, golden.name());
            PartialFolder share = PartialFolder.of(golden.folder(), folder, shards.apply(rank));
            files += share.bytes();
            LoadOptions options = options().withShard(shards.apply(rank), links.rank(rank));
            boolean first = rank == 0;
            work.add(() -> {
                try (Decoder decoder = DecoderLoader.load(share.folder(), share.files(), options)) {
                    float[][] rows = Golden.evaluate(decoder, golden, 9);
                    if (first) {
                        assertTrue(
                                Golden.difference(whole, rows) < 1e-4, "differs by " + Golden.difference(whole, rows));
                    }
                    return decoder.spec().weightBytes();
                }
            });
        }
        long sum = 0;
        try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
            for (Future<Long> part : threads.invokeAll(work)) {
                sum += part.get();
            }
        }
        long all = PartialFolder.of(golden.folder(), Files.createTempDirectory(temp, golden.name()), Shard.whole())
                .bytes();
        assertTrue(files < ranks * all, "ranks have the files of the whole model each");
        boolean layered = shards.apply(0).tensorRanks() == 1;
        // each layer is on one rank; headers and the few norms outside of layers are on several
        assertTrue(!layered || files < all + ranks * 64_000L, "ranks have %d bytes of %d".formatted(files, all));
        // narrow shares of these tiny experts are padded to whole tiles
        assertTrue(sum >= bytes && sum < 2 * bytes, "ranks hold " + sum + " bytes of " + bytes);
    }
}
