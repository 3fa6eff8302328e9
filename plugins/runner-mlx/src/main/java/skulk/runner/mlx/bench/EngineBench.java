package skulk.runner.mlx.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import skulk.api.RankContext;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.kernel.ReadBandwidth;
import skulk.runner.mlx.kernel.WorkerPool;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.DecoderSpec;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Scheduler;

/** Measures this engine: sequences of random tokens, all submitted at once, decoded greedily for as long as was asked, in the company of all. */
final class EngineBench {
    private static final int CHUNK = 512;

    private final Decoder decoder;
    private final Scheduler scheduler;
    private final int prompt;
    private final int generate;
    private final Random random = new Random(1);

    private EngineBench(Decoder decoder, Scheduler scheduler, int prompt, int generate) {
        this.decoder = decoder;
        this.scheduler = scheduler;
        this.prompt = prompt;
        this.generate = generate;
    }

    static JsonObject run(Options options) throws IOException, InterruptedException {
        try (BenchFolder folder = BenchFolder.of(options)) {
            return run(options, folder.path());
        }
    }

    private static JsonObject run(Options options, Path folder) throws InterruptedException {
        int threads = options.number("threads", Runtime.getRuntime().availableProcessors());
        int prompt = options.number("prompt", 512);
        int generate = options.number("generate", 64);
        List<Integer> batches = options.numbers("batch", "1");
        int most = batches.stream().mapToInt(i -> i).max().orElseThrow();
        double floor = bandwidth(threads);
        long start = System.nanoTime();
        LoadOptions load = LoadOptions.defaults().withThreads(threads).withKernels(kernels(options));
        try (Decoder decoder = DecoderLoader.load(folder, load)) {
            double loadSeconds = (System.nanoTime() - start) / 1e9;
            Thread.sleep(
                    Duration.ofSeconds(options.number("rest", 0))); // the compiler's memory comes back within seconds
            Optional<Long> resident = Machine.residentBytes();
            Optional<Long> mapped = Machine.mappedBytes();
            int longest = Company.longest(most, prompt, generate);
            int context = prompt + longest + 1;
            Scheduler.Options limits =
                    new Scheduler.Options(most, most, (long) context * most, CHUNK, new ContextLimit(context, longest));
            List<JsonObject> rows = new ArrayList<>();
            JsonObject firstRequest;
            try (Scheduler scheduler = new Scheduler(decoder, limits, RankContext.Watcher.silent(), plan -> {})) {
                EngineBench bench = new EngineBench(decoder, scheduler, prompt, generate);
                Round first = bench.round(1);
                firstRequest = JsonObject.of("first_token_ms", Sample.round(first.firstMillis.getFirst()))
                        .with("generation_tokens_per_second", Sample.round(first.generationSpeed));
                for (int batch : batches) {
                    rows.add(bench.measure(batch, options.number("repeat", 3), floor));
                }
            }
            return JsonObject.builder()
                    .put("machine", Machine.describe())
                    .put("read_bandwidth_gb_s", Sample.round(floor / 1e9))
                    .put("model", options.text("synthetic").orElse(folder.toString()))
                    .put("model_type", decoder.spec().modelType())
                    .put("shape", shape(decoder.spec()))
                    .put("kernels", decoder.spec().kernels())
                    .put("threads", (long) threads)
                    .put("weight_bytes", decoder.spec().weightBytes())
                    .put("load_seconds", Sample.round(loadSeconds))
                    .putIfPresent("resident_bytes_after_load", resident)
                    .putIfPresent("of_it_mapped_files", mapped)
                    .putIfPresent("resident_bytes", Machine.residentBytes())
                    .put(
                            "floor_tokens_per_second",
                            Sample.round(floor / decoder.spec().weightBytes()))
                    .put("prompt_tokens", (long) prompt)
                    .put("generated_tokens", (long) generate)
                    .put("first_request_after_load", firstRequest)
                    .put("batches", JsonArray.of(rows.toArray()))
                    .build();
        }
    }

    static LoadOptions.Kernels kernels(Options options) {
        String name = options.text("kernels").orElse("auto");
        return switch (name) {
            case "auto", "exact", "fast" -> LoadOptions.Kernels.valueOf(name.toUpperCase(Locale.ROOT));
            default -> throw new IllegalArgumentException("--kernels: auto, exact or fast, not " + name);
        };
    }

    private static JsonObject shape(DecoderSpec spec) {
        return JsonObject.builder()
                .put("layers", (long) spec.layers())
                .put("hidden", (long) spec.hidden())
                .put("vocabulary", (long) spec.vocab())
                .put("kv_bytes_per_token", spec.kvBytesPerToken())
                .build();
    }

    /** Bytes per second that so many threads read together. */
    static double bandwidth(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            return ReadBandwidth.measure(pool);
        }
    }

    private JsonObject measure(int batch, int repeat, double floor) throws InterruptedException {
        List<Round> rounds = new ArrayList<>();
        for (int i = 0; i < repeat; i++) {
            rounds.add(round(batch));
        }
        Sample speed = Sample.of(rounds.stream().map(Round::generationSpeed).toList());
        return JsonObject.builder()
                .put("batch", (long) batch)
                .put(
                        "prompt_tokens_per_second",
                        Sample.of(rounds.stream().map(Round::promptSpeed).toList())
                                .spread())
                .put("generation_tokens_per_second", speed.spread())
                .put(
                        "first_token_ms",
                        Sample.of(rounds.stream()
                                        .flatMap(r -> r.firstMillis.stream())
                                        .toList())
                                .spread())
                .put(
                        "ratio_to_floor",
                        Sample.round(speed.median() * decoder.spec().weightBytes() / floor))
                .build();
    }

    /**
     * One round.
     *
     * @param promptSpeed prompt tokens of all sequences by the time to the last one's first token
     * @param generationSpeed tokens per second while all sequences generate
     * @param firstMillis from submission to each first token
     */
    private record Round(double promptSpeed, double generationSpeed, List<Double> firstMillis) {}

    private Round round(int batch) throws InterruptedException {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            prompts.add(random.ints(prompt, 0, decoder.spec().vocab()).toArray());
        }
        Company.Times times = Company.run(scheduler, prompts, generate);
        return new Round(
                batch * (double) prompt * 1e9 / (times.complete() - times.start()),
                times.speed(),
                times.tokens().stream()
                        .map(t -> (t.getFirst() - times.start()) / 1e6)
                        .toList());
    }
}
