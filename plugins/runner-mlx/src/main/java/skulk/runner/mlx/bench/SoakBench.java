package skulk.runner.mlx.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import skulk.api.json.JsonObject;

/**
 * Mixed load for a long time: streams of all lengths, prompts that repeat and prompts that do not, some of them cancelled by leaving or by {@code /v1/cancel}, also
 * before their first token. Watches what the node holds meanwhile.
 */
final class SoakBench {
    private static final long SAMPLE_MILLIS = 5000;
    private static final long SETTLE_NANOS = 60_000_000_000L;
    private static final int SHARED_PROMPTS = 8;
    private static final int SHORTEST_PROMPT = 4;
    private static final int SHORTEST_ANSWER = 4;

    /** What is watched; summed over ranks. */
    private static final List<String> WATCHED = List.of(
            "process_resident_memory_bytes",
            "skulk_node_heap_live_bytes",
            "skulk_engine_resident_bytes",
            "skulk_engine_heap_live_bytes",
            "skulk_engine_kv_bytes",
            "skulk_engine_kv_blocks_free",
            "skulk_engine_kv_blocks_kept",
            "skulk_engine_sequences_open",
            "skulk_engine_queue_requests",
            "skulk_engine_batch_requests",
            "skulk_requests_in_flight");

    private final ChatClient client;
    private final String model;
    private final double cancelRate;
    /** Milliseconds after which a request is cancelled at the latest. */
    private final int cancelWithin;

    private final int prompt;
    private final int generate;
    private final long seconds;
    private final SoakTally tally = new SoakTally();
    private final Map<String, Track> tracks = new LinkedHashMap<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("cancels").daemon().factory());

    private SoakBench(Options options) {
        this.client = new ChatClient(options);
        this.model = options.text("model").orElseThrow(() -> new IllegalArgumentException("--url needs --model ID"));
        this.cancelRate = options.share("cancel-rate", 0.2);
        this.cancelWithin = Math.max(1, options.number("cancel-within", 1500));
        this.prompt = Math.max(SHORTEST_PROMPT, options.number("prompt", 512));
        this.generate = Math.max(SHORTEST_ANSWER, options.number("generate", 64));
        this.seconds = Math.round(60 * options.amount("soak"));
        WATCHED.forEach(name -> tracks.put(name, new Track()));
    }

    /** @param progress gets a line per minute */
    static JsonObject run(Options options, PrintWriter progress) throws IOException, InterruptedException {
        SoakBench bench = new SoakBench(options);
        try {
            return bench.soak(options.number("concurrency", 8), progress);
        } finally {
            bench.timer.shutdownNow();
        }
    }

    private JsonObject soak(int concurrency, PrintWriter progress) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long end = start + TimeUnit.SECONDS.toNanos(seconds);
        Map<String, Double> now = sample(start);
        CountDownLatch workers = new CountDownLatch(concurrency);
        for (int i = 0; i < concurrency; i++) {
            int number = i;
            Thread.ofVirtual().start(() -> {
                try {
                    work(new SplittableRandom(number), end);
                } finally {
                    workers.countDown();
                }
            });
        }
        long minute = 0;
        while (!workers.await(SAMPLE_MILLIS, TimeUnit.MILLISECONDS)) {
            now = sample(start);
            long passed = TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - start);
            if (passed > minute) {
                minute = passed;
                progress.printf("%d min: %s %s%n", minute, tally.line(), now);
                progress.flush();
            }
        }
        boolean idle = settle(start);
        return result(concurrency, (System.nanoTime() - start) / 1e9, idle);
    }

    /** Waits until nothing is under way any more. */
    private boolean settle(long start) throws IOException, InterruptedException {
        long until = System.nanoTime() + SETTLE_NANOS;
        while (System.nanoTime() < until) {
            Map<String, Double> now = sample(start);
            if (now.getOrDefault("skulk_requests_in_flight", 0.0) == 0
                    && now.getOrDefault("skulk_engine_batch_requests", 0.0) == 0
                    && now.getOrDefault("skulk_engine_queue_requests", 0.0) == 0
                    && now.getOrDefault("skulk_engine_sequences_open", 0.0) == 0) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        return false;
    }

    private JsonObject result(int concurrency, double took, boolean idle) {
        JsonObject.Builder held = JsonObject.builder();
        tracks.forEach((name, track) -> {
            if (track.told()) {
                held.put(name, track.toJson());
            }
        });
        return tally.result(JsonObject.builder()
                        .put("url", client.base())
                        .put("model", model)
                        .put("concurrency", (long) concurrency)
                        .put("seconds", Sample.round(took)))
                .put("idle_at_end", idle)
                .put("held", held.build())
                .build();
    }

    private void work(SplittableRandom random, long end) {
        while (System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
            boolean repeats = random.nextInt(3) == 0;
            int words = between(random, SHORTEST_PROMPT, prompt);
            String text = repeats
                    ? Words.of(new SplittableRandom(random.nextInt(SHARED_PROMPTS)), prompt / 2) + random.nextInt(100)
                    : Words.of(random, words);
            String body = ChatClient.body(model, text, between(random, SHORTEST_ANSWER, generate));
            ChatClient.Call call = new ChatClient.Call();
            Optional<Boolean> leaves =
                    random.nextDouble() < cancelRate ? Optional.of(random.nextBoolean()) : Optional.empty();
            leaves.ifPresent(byLeaving ->
                    timer.schedule(() -> cancel(call, byLeaving), random.nextInt(cancelWithin), TimeUnit.MILLISECONDS));
            ask(body, call, leaves.isPresent());
        }
    }

    /** Even in the logarithm: most are short, some are long. */
    private static int between(SplittableRandom random, int low, int high) {
        return (int) Math.round(low * Math.pow((double) high / low, random.nextDouble()));
    }

    private void cancel(ChatClient.Call call, boolean byLeaving) {
        Optional<String> command = call.command();
        if (byLeaving || command.isEmpty()) {
            call.leave();
            return;
        }
        Thread.ofVirtual().start(() -> {
            try {
                client.cancel(command.get());
            } catch (IOException e) {
                tally.failed("cancel: " + e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void ask(String body, ChatClient.Call call, boolean cancelled) {
        try {
            tally.answered(client.ask(body, call));
        } catch (ChatClient.Refused e) {
            if (e.status() == 429) {
                tally.busy();
                pause();
            } else if (cancelled) {
                tally.cancelled();
            } else {
                tally.failed(e.getMessage());
            }
        } catch (IOException e) {
            if (call.left()) {
                tally.cancelled();
            } else {
                tally.failed(String.valueOf(e.getMessage()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pause() {
        try {
            TimeUnit.SECONDS.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Map<String, Double> sample(long start) throws IOException, InterruptedException {
        double at = (System.nanoTime() - start) / 1e9;
        Map<String, Double> values = new LinkedHashMap<>();
        for (String line : client.get("/metrics").split("\n")) {
            String name = line.replaceAll("[{ ].*", "");
            if (tracks.containsKey(name)) {
                values.merge(name, Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)), Double::sum);
            }
        }
        values.forEach((name, value) -> tracks.get(name).add(at, value));
        return values;
    }
}
