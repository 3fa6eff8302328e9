package skulk.runner.mlx.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import skulk.api.RankContext;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.schedule.StepPlan;
import skulk.runner.mlx.shard.LinkSpeed;
import skulk.runner.mlx.shard.LocalGroup;
import skulk.runner.mlx.shard.Splits;

/**
 * How much faster a model decodes over several rank processes than in one, each rank with the same number of threads and, pinned, a core of its own. Runs are taken
 * in turns, so that what else the machine does hurts both alike; compare the ratio.
 */
final class RanksBench {
    private static final int PROMPT = 8;
    private static final int CHUNK = 64;
    private static final long CACHE_BYTES = 256L << 20;

    private static final int WARM_UP = 8;
    private static final int SETTLED = 2;
    private static final double GAIN = 1.05;

    private final int generate;
    private final Random random = new Random(1);

    private RanksBench(int generate) {
        this.generate = generate;
    }

    static JsonObject run(Options options) throws IOException, InterruptedException {
        int ranks = options.number("ranks", 2);
        if (ranks < 2) {
            throw new IllegalArgumentException("--ranks must be at least 2");
        }
        if (options.has("pin") && ranks > Runtime.getRuntime().availableProcessors()) {
            throw new IllegalArgumentException("--pin: %d ranks need a core each, there are %d"
                    .formatted(ranks, Runtime.getRuntime().availableProcessors()));
        }
        try (BenchFolder folder = BenchFolder.of(options)) {
            LoadOptions load = LoadOptions.defaults()
                    .withThreads(options.number("threads", 1))
                    .withKernels(EngineBench.kernels(options))
                    .withLimits(new LoadOptions.Limits(Long.MAX_VALUE, CACHE_BYTES, 4096));
            String sharding = options.text("sharding").orElse("Pipeline");
            List<LoadOptions.Shard> parts = parts(folder.path(), sharding, options, ranks);
            LinkSpeed links = LinkSpeed.measure();
            double own = EngineBench.bandwidth(load.threads());
            double all = EngineBench.bandwidth(load.threads() * ranks);
            try (Decoder whole = DecoderLoader.load(folder.path(), load);
                    LocalGroup group = new LocalGroup(folder.path(), parts, load)) {
                if (options.has("pin")) {
                    pin(group);
                }
                int overlap = sharding.equals("Pipeline") ? ranks : 1;
                try (Setup one = Setup.of(whole, plan -> {}, 1, options, List.of());
                        Setup several = Setup.of(group.decoder(), group::plan, overlap, options, group.processes())) {
                    return report(
                                    options,
                                    sharding,
                                    links,
                                    new RanksBench(options.number("generate", 16)),
                                    one,
                                    several)
                            .with("read_bandwidth_gb_s", Sample.round(own / 1e9))
                            .with("read_bandwidth_together_gb_s", Sample.round(all / 1e9));
                }
            }
        }
    }

    private static List<LoadOptions.Shard> parts(Path folder, String sharding, Options options, int ranks) {
        return switch (sharding) {
            case "Tensor" -> Splits.tensor(ranks);
            case "Pipeline" ->
                options.has("layers")
                        ? Splits.pipeline(options.numbers("layers", ""), ranks)
                        : Splits.pipeline(folder, ranks);
            default -> throw new IllegalArgumentException("--sharding must be Pipeline or Tensor, not " + sharding);
        };
    }

    /** This process is rank 0, and the one that is compared with. */
    private static void pin(LocalGroup group) throws IOException, InterruptedException {
        Cores.pin(ProcessHandle.current().pid(), 0);
        for (int i = 0; i < group.processes().size(); i++) {
            Cores.pin(group.processes().get(i), i + 1);
        }
    }

    private static JsonObject report(
            Options options, String sharding, LinkSpeed links, RanksBench bench, Setup one, Setup several)
            throws InterruptedException {
        List<JsonObject> rows = new ArrayList<>();
        int repeat = options.number("repeat", 5);
        int most = options.numbers("batch", "1,2,4").getLast();
        for (Setup setup : List.of(one, several)) {
            bench.warmUp(setup, most);
        }
        for (int streams : options.numbers("batch", "1,2,4")) {
            rows.add(bench.compare(streams, repeat, one, several));
        }
        return JsonObject.builder()
                .put("machine", Machine.describe())
                .put(
                        "model",
                        options.text("synthetic")
                                .or(() -> options.text("model"))
                                .orElse(""))
                .put("kernels", one.decoder.spec().kernels())
                .put("sharding", sharding)
                .put("ranks", (long) options.number("ranks", 2))
                .put("threads_per_rank", (long) options.number("threads", 1))
                .put("pinned", options.has("pin"))
                .put("weight_bytes", one.decoder.spec().weightBytes())
                .put("weight_bytes_of_rank_0", several.decoder.spec().weightBytes())
                .put("hop_micros", Sample.round(links.hopMicros()))
                .put("all_reduce_micros", Sample.round(links.allReduceMicros()))
                .put("streams", JsonArray.of(rows.toArray()))
                .build();
    }

    private JsonObject compare(int streams, int repeat, Setup one, Setup several) throws InterruptedException {
        List<Double> alone = new ArrayList<>();
        List<Double> split = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> overOne = new ArrayList<>();
        double ownBusy = 0;
        long ownTokens = 0;
        long splitTokens = 0;
        double[] busy = new double[several.processes.size()];
        for (int round = 0; round < repeat; round++) {
            double[] before = several.cpuSeconds();
            Company.Times single = decode(one, streams);
            double[] between = several.cpuSeconds();
            Company.Times sharded = decode(several, streams);
            double[] after = several.cpuSeconds();
            ownBusy += between[0] - before[0];
            for (int rank = 0; rank < busy.length; rank++) {
                busy[rank] += after[rank] - between[rank];
            }
            ownTokens += single.all(PROMPT);
            splitTokens += sharded.all(PROMPT);
            alone.add(single.speed());
            split.add(sharded.speed());
            ratios.add(sharded.speed() / single.speed());
            overOne.add(sharded.speed() / (streams == 1 ? single : decode(one, 1)).speed());
        }
        double perToken = 1e3 / splitTokens;
        return JsonObject.builder()
                .put("streams", (long) streams)
                .put("one_rank_cpu_ms_per_token", Sample.round(ownBusy * 1e3 / ownTokens))
                .put(
                        "sharded_cpu_ms_per_token",
                        JsonArray.of(Arrays.stream(busy)
                                .mapToObj(seconds -> Sample.round(seconds * perToken))
                                .toArray()))
                .put("one_rank_tokens_per_second", Sample.of(alone).spread())
                .put("sharded_tokens_per_second", Sample.of(split).spread())
                .put("speedup", Sample.of(ratios).spread())
                .put("speedup_over_one_stream", Sample.of(overOne).spread())
                .build();
    }

    /** Decodes until it no longer gets faster: a compiler that shares the core with a rank halves its speed. */
    private void warmUp(Setup setup, int streams) throws InterruptedException {
        double best = 0;
        int settled = 0;
        for (int round = 0; round < WARM_UP && settled < SETTLED; round++) {
            double speed = decode(setup, streams).speed();
            settled = speed > best * GAIN ? 0 : settled + 1;
            best = Math.max(best, speed);
        }
    }

    private Company.Times decode(Setup setup, int streams) throws InterruptedException {
        List<int[]> prompts = new ArrayList<>();
        for (int stream = 0; stream < streams; stream++) {
            prompts.add(random.ints(PROMPT, 0, setup.decoder.spec().vocab()).toArray());
        }
        return Company.run(setup.scheduler, prompts, generate);
    }

    /** A way to run the model; one scheduler per decoder, for the other ranks know its sequences by number. */
    private record Setup(Decoder decoder, Scheduler scheduler, List<Long> processes) implements AutoCloseable {
        static Setup of(
                Decoder decoder, Consumer<StepPlan> followers, int overlap, Options options, List<Long> others) {
            List<Long> all = new ArrayList<>(List.of(ProcessHandle.current().pid()));
            all.addAll(others);
            return new Setup(decoder, scheduler(decoder, followers, overlap, options), all);
        }

        /** Processor time of each rank so far. */
        double[] cpuSeconds() {
            return processes.stream()
                    .mapToDouble(pid -> ProcessHandle.of(pid)
                            .flatMap(process -> process.info().totalCpuDuration())
                            .map(time -> time.toNanos() / 1e9)
                            .orElse(0.0))
                    .toArray();
        }

        private static Scheduler scheduler(
                Decoder decoder, Consumer<StepPlan> followers, int overlap, Options options) {
            int most = options.numbers("batch", "1,2,4").stream()
                    .mapToInt(i -> i)
                    .max()
                    .orElseThrow();
            int context = PROMPT + Company.longest(most, PROMPT, options.number("generate", 16)) + 1;
            Scheduler.Options limits =
                    new Scheduler.Options(most, most, (long) context * most, CHUNK, new ContextLimit(context, context));
            return new Scheduler(decoder, limits, RankContext.Watcher.silent(), followers, overlap);
        }

        @Override
        public void close() {
            scheduler.close();
        }
    }
}
