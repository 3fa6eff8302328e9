package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** One model over two, three and four nodes answers as one node does: alone and in company, with and without what the prefix cache holds, up to the same limit. */
class SplitIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String TOY = "test/toy";
    private static final int TOKENS = 24;
    private static final List<String> PROMPTS =
            List.of("Tell me a story", "Tell me a story about the sea", "What is a boat?", "Tell me a story");

    @TempDir
    private Path temp;

    @Test
    void answersAsOneNodeDoes() throws Exception {
        Path models = temp.resolve("models");
        ToyModel.write(models.resolve("test--toy"));
        String[] where = {"--set", "models.directory=" + models};
        try (TestCluster cluster = new TestCluster(temp)) {
            List<SkulkProcess> nodes = new ArrayList<>();
            for (String name : List.of("a", "b", "c", "d")) {
                nodes.add(cluster.start(name, where));
            }
            TestCluster.awaitAgreement(nodes);
            cluster.place(nodes.subList(0, 1), "Pipeline");
            List<String> expected = answers(nodes.getFirst(), TestCluster.MODEL);
            long tokens = tokens(nodes.getFirst());
            clear(nodes);
            for (int width : List.of(2, 3, 4)) {
                cluster.place(nodes.subList(4 - width, 4), "Pipeline");
                compare(expected, tokens, nodes, width);
            }
            cluster.place(nodes.subList(1, 3), "Tensor");
            compare(expected, tokens, nodes, 2);

            // eight key-value heads over three nodes: uneven shares
            cluster.place(nodes.subList(0, 3), "Tensor", TOY);
            List<String> first = answers(nodes.getLast(), TOY);
            assertEquals(first, answers(nodes.getFirst(), TOY), "the same from the prefix cache");
            assertEquals(first.getFirst(), first.getLast(), "the same in other company");
        }
    }

    /** Whoever waits says for whom, long before the request fails: by the rank that waits or by the node of the silent one, whichever is first. */
    @Test
    void aRankThatStandsStillIsNamedByTheOneThatWaits() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess a = cluster.start("a", "--set", "requests.resume=false");
            SkulkProcess b = cluster.start("b", "--set", "requests.resume=false");
            TestCluster.awaitAgreement(List.of(a, b));
            cluster.place(List.of(a, b), "Pipeline");
            TestCluster.Stream stream = new TestCluster.Stream(
                            a, TestCluster.question(100_000, true).with("max_tokens", 1500))
                    .awaitStart();
            boolean first = rank(a) == 0;
            long stopped = System.nanoTime();
            TestCluster.signal(TestCluster.ranks(first ? b : a).getFirst(), "STOP");
            SkulkProcess waiting = first ? a : b;
            await().pollInterval(Duration.ofMillis(100))
                    .atMost(Duration.ofSeconds(4))
                    .until(() -> waiting.get("/v1/diagnostics/node").body().contains("waits for rank 1 since"));
            long named = System.nanoTime();
            String error = stream.awaitEnd(TestCluster.PATIENCE).error().orElse("");
            System.getLogger(SplitIT.class.getName())
                    .log(
                            System.Logger.Level.INFO,
                            "named after {0} ms, failed after {1} ms: {2}",
                            (named - stopped) / 1_000_000,
                            (stream.lastHeard() - stopped) / 1_000_000,
                            error);
            assertTrue(error.contains("rank") || error.contains("instance executing this request was lost"), error);
            assertTrue(stream.lastHeard() - stopped < 10_000_000_000L, "the error took long");
        }
    }

    private static long rank(SkulkProcess node) throws Exception {
        return ((JsonObject) node.json("/v1/diagnostics/node")
                        .array("supervisorRunners")
                        .orElseThrow()
                        .items()
                        .getFirst())
                .integer("deviceRank")
                .orElseThrow();
    }

    private static void compare(List<String> expected, long tokens, List<SkulkProcess> nodes, int width)
            throws Exception {
        JsonObject runners = nodes.getFirst().json("/state").object("runners").orElseThrow();
        assertEquals(width, runners.members().size());
        cancel(nodes.getLast());
        assertEquals(tokens, tokens(nodes.getLast()));
        assertEquals(expected, answers(nodes.getFirst(), TestCluster.MODEL));
        assertEquals(expected, answers(nodes.getLast(), TestCluster.MODEL), "the same from the prefix cache");
        HttpResponse<String> beyond = nodes.getFirst()
                .post(CHAT, ask(TestCluster.MODEL, PROMPTS.getFirst(), 100_000).toString());
        assertEquals(400, beyond.statusCode());
        assertTrue(beyond.body().contains("context_length_exceeded"), beyond.body());
        clear(nodes);
    }

    /** All ranks let go of a stream that nobody wants any more. */
    private static void cancel(SkulkProcess node) throws Exception {
        TestCluster.Stream stream = new TestCluster.Stream(node, TestCluster.question(1500, true)).awaitStart();
        HttpResponse<String> cancelled = node.post("/v1/cancel/" + stream.id(), "");
        assertEquals(200, cancelled.statusCode(), cancelled.body());
        stream.awaitEnd(TestCluster.PATIENCE);
    }

    private static long tokens(SkulkProcess node) throws Exception {
        JsonObject request = JsonObject.builder()
                .put("model", TestCluster.MODEL)
                .put("messages", JsonArray.of(JsonObject.of("role", "user").with("content", PROMPTS.getFirst())))
                .build();
        HttpResponse<String> counted = node.post("/v1/messages/count_tokens", request.toString());
        assertEquals(200, counted.statusCode(), counted.body());
        return ((JsonObject) Json.parse(counted.body())).integer("input_tokens").orElseThrow();
    }

    private static void clear(List<SkulkProcess> nodes) throws Exception {
        for (String instance : TestCluster.instances(nodes.getFirst())) {
            nodes.getFirst().delete("/instance/" + instance);
        }
        for (SkulkProcess node : nodes) {
            await().atMost(TestCluster.PATIENCE)
                    .until(() -> node.json("/state")
                            .object("runners")
                            .orElseThrow()
                            .members()
                            .isEmpty());
        }
    }

    private static JsonObject ask(String model, String prompt, int tokens) {
        return TestCluster.question(tokens, false)
                .with("model", model)
                .with("temperature", 0)
                .with(
                        "messages",
                        JsonArray.of(JsonObject.builder()
                                .put("role", "user")
                                .put("content", prompt)
                                .build()));
    }

    /** The answers to all prompts, asked at once. */
    private static List<String> answers(SkulkProcess node, String model) throws Exception {
        List<Callable<String>> calls = new ArrayList<>();
        for (String prompt : PROMPTS) {
            calls.add(() -> {
                HttpResponse<String> response =
                        node.post(CHAT, ask(model, prompt, TOKENS).toString());
                assertEquals(200, response.statusCode(), response.body());
                JsonObject choice = (JsonObject) ((JsonObject) Json.parse(response.body()))
                        .array("choices")
                        .orElseThrow()
                        .items()
                        .getFirst();
                return choice.object("message").orElseThrow().string("content").orElseThrow();
            });
        }
        List<String> answers = new ArrayList<>();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<String> answer : clients.invokeAll(calls)) {
                answers.add(answer.get());
            }
        }
        return answers;
    }
}
