package skulk.distribution;

import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** A node that serves models, with words for what tests do with it. */
final class ServingNode implements AutoCloseable {
    /** The model that comes with the distribution. */
    static final String TINY = "skulk/tiny-chat-4bit";

    /** For whatever must happen but may take long on a machine under load. */
    static final Duration PATIENCE = Duration.ofSeconds(90);

    private final SkulkProcess process;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private ServingNode(SkulkProcess process) {
        this.process = process;
    }

    /** Starts a node and waits for its HTTP API. */
    static ServingNode start(Path home, String... arguments) throws Exception {
        return new ServingNode(SkulkProcess.serve(home, arguments));
    }

    String url() {
        return process.url();
    }

    SkulkProcess process() {
        return process;
    }

    /** Places models and waits until all their ranks are ready. */
    ServingNode place(String... models) throws IOException, InterruptedException {
        for (String model : models) {
            HttpResponse<String> placed = process.post(
                    "/place_instance", JsonObject.of("model_id", model).toString());
            if (placed.statusCode() != 200) {
                throw new IOException(
                        "not placed: " + placed.statusCode() + " " + placed.body() + "\n" + process.log());
            }
        }
        for (String model : models) {
            await().pollInterval(Duration.ofMillis(50)).atMost(PATIENCE).until(() -> ready(model));
        }
        return this;
    }

    /** Whether rank 0 of the model is up and waits for requests. */
    boolean ready(String model) throws IOException, InterruptedException {
        return rank(model)
                .filter(r -> r.string("statusKind").orElse("").equals("RunnerReady"))
                .isPresent();
    }

    /** Rank 0 of a model, as diagnostics tell of it. */
    Optional<JsonObject> rank(String model) throws IOException, InterruptedException {
        return process.json("/v1/diagnostics/node").array("supervisorRunners").orElseThrow().items().stream()
                .map(JsonObject.class::cast)
                .filter(r -> r.string("modelId").orElse("").equals(model))
                .findFirst();
    }

    /** A value of {@code /metrics}; 0 where it was never counted. */
    long metric(String nameAndLabels) throws IOException, InterruptedException {
        return process.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(nameAndLabels + " "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElse(0);
    }

    /** Waits until no request is under way, here and in the rank. */
    void awaitIdle(String model) {
        await().pollInterval(Duration.ofMillis(50))
                .atMost(PATIENCE)
                .until(() -> metric("skulk_requests_in_flight") == 0 && ready(model));
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return process.post(path, body);
    }

    JsonObject postJson(String path, String body) throws IOException, InterruptedException {
        return (JsonObject) Json.parse(post(path, body).body());
    }

    /** Opens a stream and leaves it to the caller to read and to close. */
    Lines open(String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return new Lines(client.send(request, HttpResponse.BodyHandlers.ofInputStream()));
    }

    /** A stream read by lines. */
    static final class Lines implements AutoCloseable {
        private final InputStream in;
        private final BufferedReader reader;

        Lines(HttpResponse<InputStream> response) {
            in = response.body();
            reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        }

        /** Reads up to the first line that fits. */
        String until(Predicate<String> wanted) throws IOException {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (wanted.test(line)) {
                    return line;
                }
            }
            throw new IOException("the stream ended before the line that was waited for");
        }

        /** Leaves, as a client that is not interested any more. */
        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
        process.close();
    }
}
