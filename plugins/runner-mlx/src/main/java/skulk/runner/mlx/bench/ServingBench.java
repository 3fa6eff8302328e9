package skulk.runner.mlx.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import skulk.api.RankContext;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Scheduler;

/**
 * What the scheduler promises to those who share it: a prompt that comes again answers at once, and a long prompt does
 * not hold up running streams.
 */
final class ServingBench implements AutoCloseable {
    private static final int CHUNK = 512;
    private static final int REPEATS = 3;

    private final Scheduler scheduler;
    private final Random random = new Random(1);
    private final int vocab;

    private ServingBench(Decoder decoder, int context, int streams) {
        vocab = decoder.spec().vocab();
        Scheduler.Options limits =
                new Scheduler.Options(streams + 1, 16, 16L * context, CHUNK, new ContextLimit(context, context));
        scheduler = new Scheduler(decoder, limits, RankContext.Watcher.silent(), plan -> {});
    }

    static JsonObject run(Options options) throws IOException, InterruptedException {
        try (BenchFolder folder = BenchFolder.of(options)) {
            return run(options, folder.path());
        }
    }

    private static JsonObject run(Options options, Path folder) throws InterruptedException {
        int threads = options.number("threads", Runtime.getRuntime().availableProcessors());
        int repeated = options.number("prompt", 2000);
        int intruder = options.number("intruder", 4000);
        int streams = options.number("batch", 4);
        LoadOptions load = LoadOptions.defaults().withThreads(threads).withKernels(EngineBench.kernels(options));
        try (Decoder decoder = DecoderLoader.load(folder, load);
                ServingBench bench = new ServingBench(decoder, Math.max(repeated, 2 * intruder) + 64, streams)) {
            bench.first(bench.tokens(64)); // what is not compiled yet
            return JsonObject.builder()
                    .put("machine", Machine.describe())
                    .put("model", options.text("synthetic").orElse(folder.toString()))
                    .put("kernels", decoder.spec().kernels())
                    .put("threads", (long) threads)
                    .put("repeated_prompt", bench.repeated(repeated))
                    .put("long_prompt_beside_streams", bench.intruded(intruder, streams))
                    .build();
        }
    }

    @Override
    public void close() {
        scheduler.close();
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, vocab).toArray();
    }

    private Stream submit(int[] prompt, int generate) {
        Stream stream = new Stream();
        stream.submit(scheduler, prompt, generate);
        return stream;
    }

    /** Milliseconds to the first token. */
    private double first(int[] prompt) throws InterruptedException {
        long start = System.nanoTime();
        return (submit(prompt, 1).await().getFirst() - start) / 1e6;
    }

    private JsonObject repeated(int length) throws InterruptedException {
        int[] prompt = tokens(length);
        double cold = first(prompt);
        List<Double> again = new ArrayList<>();
        for (int i = 0; i < REPEATS; i++) {
            again.add(first(prompt));
        }
        Sample warm = Sample.of(again);
        return JsonObject.builder()
                .put("tokens", (long) length)
                .put("cold_first_token_ms", Sample.round(cold))
                .put("first_token_ms", warm.spread())
                .put("ratio", Sample.round(warm.median() / cold))
                .build();
    }

    private JsonObject intruded(int length, int count) throws InterruptedException {
        List<Stream> streams = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            streams.add(submit(tokens(16), length));
        }
        for (Stream stream : streams) {
            stream.awaitWarm();
        }
        long arrival = System.nanoTime();
        long answered = submit(tokens(length), 1).await().getFirst();
        List<Double> alone = new ArrayList<>();
        List<Double> beside = new ArrayList<>();
        for (Stream stream : streams) {
            List<Long> times = stream.timesSoFar();
            for (int i = Stream.WARM / 2; i < times.size() && times.get(i) <= answered; i++) {
                (times.get(i) <= arrival ? alone : beside).add((times.get(i) - times.get(i - 1)) / 1e6);
            }
        }
        Sample plain = Sample.of(alone);
        Sample shared = Sample.of(beside);
        return JsonObject.builder()
                .put("tokens", (long) length)
                .put("streams", (long) count)
                .put("first_token_ms", Sample.round((answered - arrival) / 1e6))
                .put("step_ms", plain.spread())
                .put("between_tokens_ms", shared.percentiles())
                .put("median_in_steps", Sample.round(shared.median() / plain.median()))
                .put("longest_in_steps", Sample.round(shared.percentile(1) / plain.median()))
                .build();
    }
}
