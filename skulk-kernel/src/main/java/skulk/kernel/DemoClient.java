package skulk.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** A client of the HTTP API, such as anybody could write. */
final class DemoClient {
    private static final Duration PLACING = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 50;
    /** Pieces of an answer before its interlude. */
    private static final int INTERLUDE = 8;

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final String url;
    private final PrintStream out;

    DemoClient(String url, PrintStream out) {
        this.url = url;
        this.out = out;
    }

    /** Waits until so many nodes are one cluster. */
    void awaitNodes(int count) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        await(count + " nodes", () -> names().size() == count);
        out.println(
                count == 1
                        ? "A node runs at " + url
                        : "%d nodes are one cluster after %.1f s: %s; any of them answers, such as %s"
                                .formatted(count, seconds(begin), String.join(", ", names()), url));
    }

    /** Places a model over so many nodes and waits until every rank of it is ready. */
    void place(String model, int nodes) throws IOException, InterruptedException {
        out.print("Placing " + model + (nodes > 1 ? " over " + nodes + " nodes … " : " … "));
        out.flush();
        long begin = System.nanoTime();
        post(
                "/place_instance",
                JsonObject.builder()
                        .put("model_id", model)
                        .put("min_nodes", nodes)
                        .build());
        await(model, () -> ready(model));
        out.printf("ready after %.1f s%n", seconds(begin));
    }

    /** Tells where a model runs after the loss of a node. */
    void recovered(String model) throws IOException, InterruptedException {
        await(model, () -> ready(model));
        out.printf("The cluster is now %s, and %s runs on what is left.%n", String.join(", ", names()), model);
    }

    /** Whether something is so; asked of the node each time. */
    private interface Question {
        boolean answer() throws IOException, InterruptedException;
    }

    private void await(String what, Question question) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (!question.answer()) {
            if (System.nanoTime() - begin > PLACING.toNanos()) {
                throw new IOException(what + " not ready within " + PLACING.toSeconds() + " s; see " + url + "/state");
            }
            Thread.sleep(POLL_MILLIS); // a client has nothing to wait on but the state
        }
    }

    /** The names of the nodes that are there. */
    private List<String> names() throws IOException, InterruptedException {
        JsonObject state = get("/state");
        JsonObject identities = state.object("nodeIdentities").orElse(JsonObject.EMPTY);
        return state.object("lastSeen").orElse(JsonObject.EMPTY).members().keySet().stream()
                .map(id -> identities
                        .object(id)
                        .flatMap(i -> i.string("friendlyName"))
                        .orElse(id))
                .sorted()
                .toList();
    }

    private boolean ready(String model) throws IOException, InterruptedException {
        JsonObject state = get("/state");
        JsonObject runners = state.object("runners").orElse(JsonObject.EMPTY);
        for (Json tagged :
                state.object("instances").orElse(JsonObject.EMPTY).members().values()) {
            JsonObject shards = inner(tagged).object("shardAssignments").orElse(JsonObject.EMPTY);
            if (shards.string("modelId").filter(model::equals).isPresent()) {
                JsonObject assigned = shards.object("runnerToShard").orElse(JsonObject.EMPTY);
                for (String runner : assigned.members().keySet()) {
                    Optional<JsonObject> failed = runners.object(runner).flatMap(r -> r.object("RunnerFailed"));
                    if (failed.isPresent()) {
                        throw new IOException(model + " failed to load: "
                                + failed.get().string("errorMessage").orElse(""));
                    }
                }
                return assigned.members().keySet().stream()
                        .allMatch(r -> runners.object(r)
                                .filter(status -> status.has("RunnerReady") || status.has("RunnerRunning"))
                                .isPresent());
            }
        }
        return false;
    }

    private static JsonObject inner(Json tagged) {
        return tagged instanceof JsonObject object
                        && object.members().firstEntry().getValue() instanceof JsonObject fields
                ? fields
                : JsonObject.EMPTY;
    }

    /** Asks with streaming and prints the answer as it comes. @param interlude done when a little of it is there */
    void ask(String model, String question, Runnable interlude) throws IOException, InterruptedException {
        out.println();
        out.println("> " + question);
        JsonObject body = JsonObject.builder()
                .put("model", model)
                .put(
                        "messages",
                        JsonArray.of(JsonObject.builder()
                                .put("role", "user")
                                .put("content", question)
                                .build()))
                .put("max_tokens", 256)
                .put("stream", true)
                .build();
        long begin = System.nanoTime();
        HttpResponse<Stream<String>> response = client.send(
                request("/v1/chat/completions").POST(json(body)).build(), HttpResponse.BodyHandlers.ofLines());
        if (response.statusCode() != 200) {
            throw new IOException("the question was refused: "
                    + String.join(" ", response.body().toList()));
        }
        Answer answer = new Answer(begin, interlude);
        try (Stream<String> lines = response.body()) {
            lines.forEach(answer::line);
        }
        answer.finish();
    }

    /** Prints the pieces of a stream and measures them. */
    private final class Answer {
        private final long begin;
        private final Runnable interlude;
        private long first;
        private long last;
        private long pause;
        private long pieces;
        private Optional<JsonObject> usage = Optional.empty();
        private Optional<String> error = Optional.empty();

        Answer(long begin, Runnable interlude) {
            this.begin = begin;
            this.interlude = interlude;
        }

        void line(String line) {
            if (!line.startsWith("data: ") || line.equals("data: [DONE]")) {
                return;
            }
            JsonObject chunk = (JsonObject) Json.parse(line.substring("data: ".length()));
            error = error.or(() -> chunk.object("error").flatMap(e -> e.string("message")));
            usage = chunk.object("usage").or(() -> usage);
            chunk.array("choices")
                    .filter(choices -> choices.size() > 0)
                    .flatMap(choices -> ((JsonObject) choices.items().getFirst()).object("delta"))
                    .flatMap(delta -> delta.string("content"))
                    .filter(text -> !text.isEmpty())
                    .ifPresent(this::print);
        }

        private void print(String text) {
            long now = System.nanoTime();
            first = pieces == 0 ? now : first;
            pause = pieces == 0 ? 0 : Math.max(pause, now - last);
            last = now;
            out.print(text);
            out.flush();
            if (++pieces == INTERLUDE) {
                interlude.run();
            }
        }

        void finish() throws IOException {
            out.println();
            if (error.isPresent()) {
                throw new IOException("the answer broke off: " + error.get());
            }
            long tokens = usage.flatMap(u -> u.integer("completion_tokens")).orElse(pieces);
            double decoding = pieces == 0 ? 0 : seconds(first);
            out.printf(
                    "%n[first token after %.0f ms, %d tokens%s%s]%n",
                    pieces == 0 ? 0.0 : (first - begin) / 1e6,
                    tokens,
                    pause > 1_000_000_000L ? ", paused for %.1f s".formatted(pause / 1e9) : "",
                    tokens > 1 && decoding > 0 && pause < 1_000_000_000L
                            ? ", %.0f tokens/s".formatted((tokens - 1) / decoding)
                            : "");
        }
    }

    private JsonObject get(String path) throws IOException, InterruptedException {
        return checked(client.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString()), path);
    }

    private void post(String path, JsonObject body) throws IOException, InterruptedException {
        checked(client.send(request(path).POST(json(body)).build(), HttpResponse.BodyHandlers.ofString()), path);
    }

    private static JsonObject checked(HttpResponse<String> response, String path) throws IOException {
        if (response.statusCode() != 200) {
            throw new IOException(path + " answered " + response.statusCode() + ": " + response.body());
        }
        return (JsonObject) Json.parse(response.body());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(120))
                .header("Content-Type", "application/json");
    }

    private static HttpRequest.BodyPublisher json(Json body) {
        return HttpRequest.BodyPublishers.ofByteArray(body.toBytes());
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
