package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Puts chat requests to a server that speaks the OpenAI dialect, several at a time, and notes when tokens come. */
final class LoadBench {
    private final ChatClient client;
    private final Options options;
    private final Random random = new Random(1);

    private LoadBench(Options options) {
        this.client = new ChatClient(options);
        this.options = options;
    }

    static JsonObject run(Options options) throws InterruptedException {
        String model = options.text("model").orElseThrow(() -> new IllegalArgumentException("--url needs --model ID"));
        LoadBench bench = new LoadBench(options);
        List<JsonObject> rows = new ArrayList<>();
        for (int level : options.numbers("concurrency", "1")) {
            rows.add(bench.level(level, options.number("requests", 16), model));
        }
        return JsonObject.builder()
                .put("url", bench.client.base())
                .put("model", model)
                .put("machine", Machine.describe())
                .put("levels", JsonArray.of(rows.toArray()))
                .build();
    }

    private JsonObject level(int concurrency, int requests, String model) throws InterruptedException {
        Semaphore slots = new Semaphore(concurrency);
        List<Future<ChatClient.Answer>> futures = new ArrayList<>();
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < requests; i++) {
                String body = body(model);
                slots.acquire();
                futures.add(threads.submit(() -> {
                    try {
                        return client.ask(body);
                    } finally {
                        slots.release();
                    }
                }));
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        List<ChatClient.Answer> answers = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (Future<ChatClient.Answer> future : futures) {
            try {
                answers.add(future.get());
            } catch (ExecutionException e) {
                errors.add(String.valueOf(e.getCause().getMessage()));
            }
        }
        return summary(concurrency, seconds, answers, errors);
    }

    private static JsonObject summary(
            int concurrency, double seconds, List<ChatClient.Answer> answers, List<String> errors) {
        long tokens = answers.stream().mapToLong(ChatClient.Answer::tokens).sum();
        JsonObject.Builder out = JsonObject.builder()
                .put("concurrency", (long) concurrency)
                .put("requests", (long) answers.size() + errors.size())
                .put("errors", (long) errors.size())
                .put("seconds", Sample.round(seconds))
                .put("tokens", tokens)
                .put("tokens_per_second", Sample.round(tokens / seconds))
                .put(
                        "first_token_ms",
                        Sample.of(answers.stream()
                                        .map(ChatClient.Answer::firstMillis)
                                        .toList())
                                .percentiles())
                .put(
                        "between_tokens_ms",
                        Sample.of(answers.stream()
                                        .flatMap(a -> a.gaps().stream())
                                        .toList())
                                .percentiles())
                .put(
                        "stream_tokens_per_second",
                        Sample.of(answers.stream().map(ChatClient.Answer::speed).toList())
                                .spread());
        errors.stream().findFirst().ifPresent(e -> out.put("first_error", e));
        return out.build();
    }

    private String body(String model) {
        String text = Words.of(random, options.number("prompt", 128));
        return ChatClient.body(model, text, options.number("generate", 64));
    }
}
