package skulk.runner.mlx.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Puts streaming chat requests to a server of the OpenAI dialect and notes when tokens come. Safe for use by several threads. */
final class ChatClient {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);
    private static final String COMMAND = ": command_id ";

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final String base;
    private final Optional<String> key;

    /** A stream in the middle of which the client can leave. */
    static final class Call {
        private final AtomicReference<Optional<InputStream>> body = new AtomicReference<>(Optional.empty());
        private volatile Optional<String> command = Optional.empty();
        private volatile boolean left;

        /** Closes the connection, as a client that is not interested any more. Any thread. */
        void leave() {
            left = true;
            body.get().ifPresent(ChatClient::close);
        }

        /** The server's name for the request, once it is told. */
        Optional<String> command() {
            return command;
        }

        boolean left() {
            return left;
        }
    }

    /** The server refused or broke off. @param status 0 where the stream had begun */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        private final int status;

        Refused(int status, String message) {
            super(message);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /**
     * One answer.
     *
     * @param tokens as the server counts them, pieces where it does not
     * @param firstMillis from the request to the first piece
     * @param gaps milliseconds between pieces
     * @param speed tokens per second after the first piece
     */
    record Answer(long tokens, double firstMillis, List<Double> gaps, double speed) {
        private static Answer of(long start, List<Long> times, long tokens) throws IOException {
            if (times.isEmpty() && tokens == 0) {
                throw new IOException("an answer without text");
            }
            if (times.isEmpty()) {
                times.add(System.nanoTime()); // the end was all there was to say
            }
            List<Double> gaps = new ArrayList<>();
            for (int i = 1; i < times.size(); i++) {
                gaps.add((times.get(i) - times.get(i - 1)) / 1e6);
            }
            double seconds = (times.getLast() - times.getFirst()) / 1e9;
            return new Answer(tokens, (times.getFirst() - start) / 1e6, gaps, seconds > 0 ? (tokens - 1) / seconds : 0);
        }
    }

    ChatClient(Options options) {
        this.base = options.text("url").orElseThrow().replaceAll("/+$", "").replaceAll("/v1$", "");
        this.key = options.text("key");
    }

    String base() {
        return base;
    }

    /** A greedy chat request of one user message. */
    static String body(String model, String text, int maxTokens) {
        return JsonObject.builder()
                .put("model", model)
                .put("messages", List.of(Map.of("role", "user", "content", text)))
                .put("max_tokens", (long) maxTokens)
                .put("temperature", 0L)
                .put("stream", true)
                .put("stream_options", Map.of("include_usage", true))
                .build()
                .toString();
    }

    Answer ask(String body) throws IOException, InterruptedException {
        return ask(body, new Call());
    }

    /** @throws IOException also where the caller left */
    Answer ask(String body, Call call) throws IOException, InterruptedException {
        HttpRequest request = request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        long start = System.nanoTime();
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            call.body.set(Optional.of(in));
            if (call.left) {
                throw new IOException("left");
            }
            if (response.statusCode() != 200) {
                String text = new String(in.readNBytes(2000), StandardCharsets.UTF_8);
                throw new Refused(response.statusCode(), "HTTP " + response.statusCode() + ": " + text);
            }
            return read(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)), call, start);
        } catch (JsonException e) {
            throw new IOException("not the JSON of a stream: " + e.getMessage(), e);
        }
    }

    private static Answer read(BufferedReader lines, Call call, long start) throws IOException {
        List<Long> times = new ArrayList<>();
        long counted = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith(COMMAND)) {
                call.command = Optional.of(line.substring(COMMAND.length()).strip());
            }
            if (!line.startsWith("data:")) {
                continue;
            }
            String data = line.substring(5).strip();
            if (data.equals("[DONE]")) {
                return Answer.of(start, times, counted > 0 ? counted : times.size());
            }
            if (Json.parse(data) instanceof JsonObject chunk) {
                if (chunk.has("error")) {
                    throw new Refused(0, chunk.find("error").orElseThrow().toString());
                }
                if (hasText(chunk)) {
                    times.add(System.nanoTime());
                }
                counted = chunk.object("usage")
                        .flatMap(u -> u.integer("completion_tokens"))
                        .orElse(counted);
            }
        }
        throw new IOException("the stream broke off after " + times.size() + " pieces");
    }

    private static boolean hasText(JsonObject chunk) {
        return chunk.array("choices").stream()
                .flatMap(choices -> choices.items().stream())
                .flatMap(choice -> ((JsonObject) choice).object("delta").stream())
                .flatMap(delta -> delta.members().values().stream())
                .anyMatch(value -> value instanceof JsonString s
                        && !s.value().isEmpty()
                        && !s.value().equals("assistant"));
    }

    /** Has the server drop a request. @return its status */
    int cancel(String command) throws IOException, InterruptedException {
        return client.send(
                        request("/v1/cancel/" + command)
                                .POST(HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** The text at a path. */
    String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("HTTP " + response.statusCode() + " at " + path);
        }
        return response.body();
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT);
        key.ifPresent(value -> request.header("Authorization", "Bearer " + value));
        return request;
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            // it is left all the same
        }
    }
}
