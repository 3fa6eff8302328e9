package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/**
 * What previews predict, and what then happens. Two nodes with a thread each on one machine, models of real shapes with random weights. Worth something on a machine that does
 * nothing else, so it is a command and no part of the build: {@code -Dit.test=ForecastIT -Dskulk.forecasts=llama-1b,qwen3-0.6b,smollm-135m}; the table goes to
 * {@code target/forecasts.txt}.
 */
@EnabledIfSystemProperty(named = "skulk.forecasts", matches = ".+")
class ForecastIT {
    private static final double TOLERANCE = 0.2;
    private static final int PROMPT = 512;
    private static final int TOKENS = 32;
    private static final int TRIES = 3;

    @TempDir
    private Path temp;

    private final List<String> table = new ArrayList<>();

    /** @param nodes that hold the model */
    private record Way(String sharding, int nodes) {}

    @Test
    void predictionsComeTrueWithinAFifth() throws Exception {
        Path models = temp.resolve("models");
        List<String> shapes = List.of(System.getProperty("skulk.forecasts").split(","));
        for (String shape : shapes) {
            List<String> command = List.of(
                    "model", "synthetic", models.resolve("synthetic--" + shape).toString(), "--shape", shape);
            try (SkulkProcess made = SkulkProcess.start(temp, Map.of(), command)) {
                assertEquals(0, made.exitCode(Duration.ofMinutes(1)), made.log());
            }
        }
        say("%-12s %-10s %21s %21s %s", "shape", "placement", "tokens/s", "first token, s", "bytes by node");
        double worst = 1;
        try (TestCluster cluster = new TestCluster(temp)) {
            List<SkulkProcess> nodes = new ArrayList<>();
            for (int number = 0; number < 2; number++) {
                nodes.add(cluster.start(
                        new SkulkProcess.Machine(List.of(), Map.of("SKULK_MEASURE", "true"), "127.0.0.1"),
                        "node" + number,
                        List.of("--set", "models.directory=" + models, "--set", "inference.threads=1")));
            }
            TestCluster.awaitAgreement(nodes);
            await().atMost(Duration.ofMinutes(1)).until(() -> measured(nodes.getFirst()));
            for (String shape : shapes) {
                for (Way way : List.of(new Way("Pipeline", 1), new Way("Pipeline", 2), new Way("Tensor", 2))) {
                    worst = Math.max(worst, compare(cluster, nodes, shape, way));
                }
            }
        }
        assertTrue(worst <= 1 / (1 - TOLERANCE), () -> String.join("\n", table));
    }

    private void say(String format, Object... values) throws IOException {
        table.add(String.format(Locale.ROOT, format, values));
        Files.write(Path.of("target", "forecasts.txt"), table);
    }

    private static boolean measured(SkulkProcess node) throws Exception {
        JsonObject state = node.json("/state");
        JsonObject resources = state.object("nodeResources").orElseThrow();
        return resources.members().size() == 2
                && resources.members().values().stream()
                        .allMatch(r -> ((JsonObject) r).object("engine").isPresent());
    }

    /** Answers how far the worse of two predictions is off, as a factor of at least one. */
    private double compare(TestCluster cluster, List<SkulkProcess> nodes, String shape, Way way) throws Exception {
        String model = "synthetic/" + shape;
        JsonObject forecast = forecast(nodes.getFirst(), model, way);
        cluster.place(nodes.subList(0, way.nodes), way.sharding, model);
        ask(nodes.getFirst(), model, -1);
        double speed = 0;
        double first = Double.MAX_VALUE;
        for (int i = 0; i < TRIES; i++) {
            Measured m = ask(nodes.getFirst(), model, i);
            speed = Math.max(speed, m.tokensPerSecond);
            first = Math.min(first, m.firstToken);
        }
        double predicted = forecast.number("tokens_per_second").orElseThrow();
        double predictedFirst = forecast.number("first_token_seconds").orElseThrow();
        say(
                "%-12s %-10s %6.1f → %6.1f (%.2f) %6.3f → %6.3f (%.2f) %s",
                shape,
                way.sharding + " " + way.nodes,
                predicted,
                speed,
                speed / predicted,
                predictedFirst,
                first,
                first / predictedFirst,
                forecast.object("required_bytes_by_node")
                        .orElseThrow()
                        .members()
                        .values());
        for (String instance : TestCluster.instances(nodes.getFirst())) {
            nodes.getFirst().delete("/instance/" + instance);
        }
        await().atMost(TestCluster.PATIENCE)
                .until(() -> nodes.getFirst()
                        .json("/state")
                        .object("runners")
                        .orElseThrow()
                        .members()
                        .isEmpty());
        return Math.max(factor(speed, predicted), factor(first, predictedFirst));
    }

    private static double factor(double a, double b) {
        return Math.max(a / b, b / a);
    }

    private static JsonObject forecast(SkulkProcess node, String model, Way way) throws Exception {
        JsonArray previews = node.json("/instance/previews?model_id=" + model)
                .array("previews")
                .orElseThrow();
        return previews.items().stream()
                .map(JsonObject.class::cast)
                .filter(p -> p.string("sharding").orElse("").equals(way.sharding)
                        && p.object("memory_delta_by_node")
                                .map(d -> d.members().size())
                                .orElse(0)
                                .equals(way.nodes))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no preview of " + way + " in " + previews))
                .object("forecast")
                .orElseThrow();
    }

    private record Measured(double tokensPerSecond, double firstToken) {}

    /** A prompt that no cache holds, read and answered; one token per byte of text. */
    private static Measured ask(SkulkProcess node, String model, int number) throws Exception {
        String prompt = (number + " ".repeat(PROMPT)).substring(0, PROMPT - 1);
        JsonObject body = JsonObject.builder()
                .put("model", model)
                .put("stream", true)
                .put("temperature", 0)
                .put("max_tokens", TOKENS)
                .put("logit_bias", JsonObject.of("256", -100))
                .put("messages", JsonArray.of(JsonObject.of("role", "user").with("content", prompt)))
                .build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        long start = System.nanoTime();
        List<Long> times = new ArrayList<>();
        try (HttpClient client = HttpClient.newHttpClient();
                Stream<String> lines = client.send(request, HttpResponse.BodyHandlers.ofLines())
                        .body()) {
            lines.filter(line -> line.startsWith("data: {")).forEach(line -> {
                JsonObject chunk = (JsonObject) Json.parse(line.substring("data: ".length()));
                JsonObject choice = (JsonObject)
                        chunk.array("choices").orElseThrow().items().getFirst();
                if (choice.string("finish_reason").isEmpty()) {
                    times.add(System.nanoTime());
                }
            });
        }
        assertTrue(times.size() > TOKENS / 2, "only " + times.size() + " chunks of " + TOKENS + " tokens");
        double decode = (times.getLast() - times.getFirst()) / 1e9;
        return new Measured((times.size() - 1) / decode, (times.getFirst() - start) / 1e9);
    }
}
