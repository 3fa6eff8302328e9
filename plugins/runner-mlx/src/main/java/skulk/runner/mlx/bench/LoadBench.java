package skulk.runner.mlx.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;

/** Puts chat requests to a server that speaks the OpenAI dialect, several at a time, and notes when tokens come. */
final class LoadBench {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final Options options;
    private final URI url;
    private final Random random = new Random(1);

    private LoadBench(Options options) {
        this.options = options;
        String base = options.text("url").orElseThrow().replaceAll("/+$", "");
        this.url = URI.create(base + (base.endsWith("/v1") ? "" : "/v1") + "/chat/completions");
    }

    static JsonObject run(Options options) throws InterruptedException {
        String model = options.text("model").orElseThrow(() -> new IllegalArgumentException("--url needs --model ID"));
        LoadBench bench = new LoadBench(options);
        List<JsonObject> rows = new ArrayList<>();
        for (int level : options.numbers("concurrency", "1")) {
            rows.add(bench.level(level, options.number("requests", 16), model));
        }
        return JsonObject.builder()
                .put("url", bench.url.toString())
                .put("model", model)
                .put("machine", Machine.describe())
                .put("levels", JsonArray.of(rows.toArray()))
                .build();
    }

    private JsonObject level(int concurrency, int requests, String model) throws InterruptedException {
        Semaphore slots = new Semaphore(concurrency);
        List<Future<Answer>> futures = new ArrayList<>();
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < requests; i++) {
                String body = body(model);
                slots.acquire();
                futures.add(threads.submit(() -> {
                    try {
                        return ask(body);
                    } finally {
                        slots.release();
                    }
                }));
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        List<Answer> answers = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (Future<Answer> future : futures) {
            try {
                answers.add(future.get());
            } catch (ExecutionException e) {
                errors.add(String.valueOf(e.getCause().getMessage()));
            }
        }
        return summary(concurrency, seconds, answers, errors);
    }

    private static JsonObject summary(int concurrency, double seconds, List<Answer> answers, List<String> errors) {
        long tokens = answers.stream().mapToLong(Answer::tokens).sum();
        JsonObject.Builder out = JsonObject.builder()
                .put("concurrency", (long) concurrency)
                .put("requests", (long) answers.size() + errors.size())
                .put("errors", (long) errors.size())
                .put("seconds", Sample.round(seconds))
                .put("tokens", tokens)
                .put("tokens_per_second", Sample.round(tokens / seconds))
                .put(
                        "first_token_ms",
                        Sample.of(answers.stream().map(Answer::firstMillis).toList())
                                .percentiles())
                .put(
                        "between_tokens_ms",
                        Sample.of(answers.stream().flatMap(a -> a.gaps.stream()).toList())
                                .percentiles())
                .put(
                        "stream_tokens_per_second",
                        Sample.of(answers.stream().map(Answer::speed).toList()).spread());
        errors.stream().findFirst().ifPresent(e -> out.put("first_error", e));
        return out.build();
    }

    /** Words of its own for every request, so that no server answers from a cache of prefixes. */
    private String body(String model) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < options.number("prompt", 128); i++) {
            text.append(Integer.toString(random.nextInt(36 * 36 * 36), 36)).append(' ');
        }
        return JsonObject.builder()
                .put("model", model)
                .put("messages", List.of(Map.of("role", "user", "content", text.toString())))
                .put("max_tokens", (long) options.number("generate", 64))
                .put("temperature", 0L)
                .put("stream", true)
                .put("stream_options", Map.of("include_usage", true))
                .build()
                .toString();
    }

    private Answer ask(String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        options.text("key").ifPresent(key -> request.header("Authorization", "Bearer " + key));
        long start = System.nanoTime();
        HttpResponse<java.util.stream.Stream<String>> response =
                client.send(request.build(), HttpResponse.BodyHandlers.ofLines());
        try (java.util.stream.Stream<String> lines = response.body()) {
            if (response.statusCode() != 200) {
                String text = lines.limit(5).reduce("", String::concat);
                throw new IOException("HTTP " + response.statusCode() + ": " + text);
            }
            return read(lines.iterator(), start);
        } catch (JsonException e) {
            throw new IOException("not the JSON of a stream: " + e.getMessage(), e);
        }
    }

    private static Answer read(Iterator<String> lines, long start) throws IOException {
        List<Long> times = new ArrayList<>();
        long counted = 0;
        boolean done = false;
        while (!done && lines.hasNext()) {
            String line = lines.next();
            if (!line.startsWith("data:")) {
                continue;
            }
            String data = line.substring(5).strip();
            done = data.equals("[DONE]");
            if (!done && Json.parse(data) instanceof JsonObject chunk) {
                if (chunk.has("error")) {
                    throw new IOException(chunk.find("error").orElseThrow().toString());
                }
                if (hasText(chunk)) {
                    times.add(System.nanoTime());
                }
                counted = chunk.object("usage")
                        .flatMap(u -> u.integer("completion_tokens"))
                        .orElse(counted);
            }
        }
        if (!done) {
            throw new IOException("the stream broke off after " + times.size() + " pieces");
        }
        return Answer.of(start, times, counted > 0 ? counted : times.size());
    }

    private static boolean hasText(JsonObject chunk) {
        return chunk.array("choices").stream()
                .flatMap(choices -> choices.items().stream())
                .flatMap(choice -> ((JsonObject) choice).object("delta").stream())
                .flatMap(delta -> delta.members().values().stream())
                .anyMatch(value -> value instanceof skulk.api.json.JsonString s
                        && !s.value().isEmpty()
                        && !s.value().equals("assistant"));
    }

    /**
     * One answer.
     *
     * @param tokens as the server counts them, pieces where it does not
     * @param gaps milliseconds between pieces
     * @param speed tokens per second after the first piece
     */
    private record Answer(long tokens, double firstMillis, List<Double> gaps, double speed) {
        static Answer of(long start, List<Long> times, long tokens) throws IOException {
            if (times.isEmpty()) {
                throw new IOException("an answer without text");
            }
            List<Double> gaps = new ArrayList<>();
            for (int i = 1; i < times.size(); i++) {
                gaps.add((times.get(i) - times.get(i - 1)) / 1e6);
            }
            double seconds = (times.getLast() - times.getFirst()) / 1e9;
            return new Answer(tokens, (times.getFirst() - start) / 1e6, gaps, seconds > 0 ? (tokens - 1) / seconds : 0);
        }
    }
}
