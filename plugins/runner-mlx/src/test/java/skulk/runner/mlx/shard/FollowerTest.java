package skulk.runner.mlx.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.Drafter;
import skulk.api.RankContext;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.schedule.StepPlan;

/** Ranks that follow give the tokens of one that is alone, whatever joins, shares, leaves and is pushed out. */
class FollowerTest {
    private static final int SECONDS = 120;
    private static final int JOBS = 24;
    private static final int CONTEXT = 256;
    private static final int BLOCKS = 18;

    private static Path golden(String name) {
        Path folder =
                Path.of(System.getProperty("skulk.shared", "../../shared")).resolve("golden/" + name);
        assumeTrue(Files.isDirectory(folder), "no golden checkpoint at " + folder);
        return folder;
    }

    /** Room for few sequences, so that some are pushed out and kept blocks are forgotten; as many on a rank as on one alone. */
    private static LoadOptions options(long cacheBytes) {
        return LoadOptions.defaults()
                .withThreads(1)
                .withLimits(new LoadOptions.Limits(Long.MAX_VALUE, cacheBytes, CONTEXT));
    }

    private static long share(LoadOptions.Shard part, long bytes, int layers) {
        int held = Math.min(layers, part.endLayer()) - part.firstLayer();
        return bytes * held / layers / part.tensorRanks();
    }

    @ParameterizedTest
    @CsvSource({
        "llama--f32,Pipeline,2",
        "llama--f32,Tensor,2",
        "llama--f32,Pipeline,4",
        "gemma3_text--f32,Pipeline,3",
        "gpt_oss--f32,Pipeline,2",
        "gpt_oss--f32,Tensor,2"
    })
    void sayWhatOneSays(String model, String sharding, int ranks) throws Exception {
        Path folder = golden(model);
        List<List<Integer>> alone;
        long bytes;
        int layers;
        try (Decoder decoder = DecoderLoader.load(folder, options(Long.MAX_VALUE))) {
            bytes = decoder.spec().kvBytesPerToken() * decoder.cache().blockSize() * BLOCKS;
            layers = decoder.spec().layers();
        }
        try (Decoder decoder = DecoderLoader.load(folder, options(bytes))) {
            alone = generate(decoder, plan -> {}, 1);
        }
        boolean pipeline = sharding.equals("Pipeline");
        List<LoadOptions.Shard> parts = pipeline ? Splits.pipeline(folder, ranks) : Splits.tensor(ranks);
        List<SocketLinks> links = Meshes.sockets(ranks);
        List<List<List<Integer>>> said = Meshes.run(links, (rank, link) -> {
            RankGroup group = new RankGroup(link, rank, ranks);
            Decoder decoder = DecoderLoader.load(
                    folder,
                    options(share(parts.get(rank), bytes, layers)).withShard(parts.get(rank), group.collectives()));
            if (rank > 0) {
                CompletableFuture<String> broken = new CompletableFuture<>();
                try (Follower follower = new Follower(decoder, group, RankContext.Watcher.silent(broken::complete))) {
                    follower.awaitEnd();
                    assertTrue(!broken.isDone(), () -> broken.getNow(""));
                }
                return List.of();
            }
            try (Decoder leading = group.leading(decoder)) {
                return generate(leading, group::plan, pipeline ? ranks : 1);
            }
        });
        for (SocketLinks link : links) {
            link.close();
        }
        assertEquals(alone, said.getFirst());
    }

    /** Random requests with common beginnings, some cancelled half-way; the tokens of those that were not. */
    private static List<List<Integer>> generate(Decoder decoder, Consumer<StepPlan> followers, int overlap)
            throws InterruptedException {
        Random random = new Random(5);
        int vocab = decoder.spec().vocab();
        int[] common = random.ints(70, 0, vocab).toArray();
        Scheduler.Options limits = new Scheduler.Options(5, JOBS, 1 << 20, 32, new ContextLimit(CONTEXT, 64));
        CountDownLatch done = new CountDownLatch(JOBS);
        List<Collected> outputs = new ArrayList<>();
        try (Scheduler scheduler = new Scheduler(decoder, limits, RankContext.Watcher.silent(), followers, overlap)) {
            for (int i = 0; i < JOBS; i++) {
                int[] prompt = random.ints(1 + random.nextInt(110), 0, vocab).toArray();
                int shared = random.nextInt(2) * Math.min(common.length, prompt.length);
                System.arraycopy(common, 0, prompt, 0, shared);
                outputs.add(new Collected(done));
                Optional<Drafter> drafter = i % 2 == 0 ? Optional.of(new Echo()) : Optional.empty();
                Job job = job("client " + i % 3, prompt, 20 + random.nextInt(40), outputs.getLast(), drafter);
                Scheduler.Ticket ticket = scheduler.submit(job);
                if (i % 6 == 5) {
                    ticket.cancel();
                }
            }
            assertTrue(done.await(SECONDS, TimeUnit.SECONDS), "requests hang");
            for (int turn = 0; turn < 2; turn++) { // what is kept is surely used by one that comes after its like
                CountDownLatch ended = new CountDownLatch(1);
                outputs.add(new Collected(ended));
                scheduler.submit(job("client", common, 20, outputs.getLast(), Optional.empty()));
                assertTrue(ended.await(SECONDS, TimeUnit.SECONDS), "a request hangs");
            }
            assertTrue(scheduler.report().integer("cachedTokens").orElseThrow() > 0, "no prompt was shared");
            assertTrue(scheduler.report().integer("preempted").orElseThrow() > 0, "no sequence was pushed out");
            assertTrue(scheduler.report().integer("rejectedDrafts").orElseThrow() > 0, "no guess was taken back");
        }
        List<List<Integer>> tokens = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            Collected output = outputs.get(i);
            boolean cancelled = i % 6 == 5 && i < JOBS;
            assertTrue(cancelled || output.problem.isEmpty(), () -> output.problem.toString());
            tokens.add(cancelled ? List.of() : output.tokens);
        }
        return tokens;
    }

    private static Job job(String client, int[] prompt, int tokens, Collected output, Optional<Drafter> drafter) {
        Sampler sampler = new Sampler(SamplingPlan.greedy(), prompt, Optional.empty(), Optional.empty());
        return new Job(client, prompt, new int[0], Optional.of(tokens), sampler, Set.of(), output, drafter);
    }

    /** Guesses that the last token repeats: mostly wrong. */
    private static final class Echo implements Drafter {
        private int last;

        @Override
        public void begin(int[] prompt) {
            last = prompt[prompt.length - 1];
        }

        @Override
        public int[] draft(int limit) {
            return IntStream.range(0, Math.min(limit, 3)).map(i -> last).toArray();
        }

        @Override
        public void accept(int[] tokens, MemorySegment hidden) {
            last = tokens.length == 0 ? last : tokens[tokens.length - 1];
        }

        @Override
        public void close() {}
    }

    @Test
    void aDeadPeerBreaksAllRanksWithinASecond() throws Exception {
        Path folder = golden("llama--f32");
        List<SocketLinks> links = Meshes.sockets(3);
        List<LoadOptions.Shard> parts = Splits.pipeline(folder, 3);
        List<Decoder> decoders = Meshes.run(links, (rank, link) -> {
            RankGroup group = new RankGroup(link, rank, 3);
            return DecoderLoader.load(folder, options(1 << 20).withShard(parts.get(rank), group.collectives()));
        });
        CountDownLatch done = new CountDownLatch(1);
        Collected output = new Collected(done);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> last = new CompletableFuture<>();
        RankGroup group = new RankGroup(links.get(0), 0, 3);
        Follower follower = new Follower(
                decoders.get(2), new RankGroup(links.get(2), 2, 3), RankContext.Watcher.silent(last::complete));
        Scheduler.Options limits = new Scheduler.Options(5, JOBS, 1 << 20, 32, new ContextLimit(CONTEXT, 64));
        try (Scheduler scheduler =
                new Scheduler(decoders.get(0), limits, RankContext.Watcher.silent(first::complete), group::plan, 3)) {
            group.ready();
            follower.awaitReady();
            scheduler.submit(job("client", new int[] {1, 2, 3}, 9, output, Optional.empty()));
            first.thenRun(() -> end(links.get(0)));
            last.thenRun(() -> end(links.get(2)));
            links.get(1).close(); // rank 1 dies without having computed anything
            assertTrue(last.get(10, TimeUnit.SECONDS).startsWith("rank 2 cannot"), last.join());
            assertTrue(first.get(10, TimeUnit.SECONDS).startsWith("rank 0 cannot"), first.join());
            assertTrue(done.await(10, TimeUnit.SECONDS));
            assertEquals("instance_lost", output.problem.orElseThrow().code());
        }
        follower.close();
        for (Decoder decoder : decoders) {
            decoder.close();
        }
    }

    /** As the end of its process does. */
    private static void end(SocketLinks links) {
        try {
            links.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
