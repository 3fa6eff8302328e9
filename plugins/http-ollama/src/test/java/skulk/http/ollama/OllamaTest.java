package skulk.http.ollama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Stats;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.generation.GenerationEvent.ToolCallDelta;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.http.Route;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;

class OllamaTest {
    private static final String ASK = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    private static final String END =
            "\"prompt_eval_count\":5,\"prompt_eval_duration\":30000000,\"eval_count\":3,\"eval_duration\":150000000";
    private static final Accepted ACCEPTED = new Accepted(5, 2);

    private final FakeInference inference = new FakeInference();
    private final FakeCluster cluster = new FakeCluster();
    private final OllamaPlugin plugin = new OllamaPlugin();
    private HttpFeature feature;
    private HttpFeature stock;

    @BeforeEach
    void start() {
        List<HttpFeature> features = plugin
                .start(FakeContext.create().with(inference).with(cluster))
                .stream()
                .map(HttpFeature.class::cast)
                .toList();
        feature = features.getFirst();
        stock = features.getLast();
    }

    @AfterEach
    void stop() {
        plugin.stop();
        plugin.stop();
    }

    private static Text text(String text) {
        return new Text(Channel.CONTENT, text, List.of());
    }

    private static Finished finished(FinishReason reason) {
        return new Finished(reason, Optional.empty(), new Usage(5, 3, 2, 1, 0, 0), new Stats(100, 20, 1000, 1, true));
    }

    private FakeExchange post(String route, String body) {
        return new FakeExchange().body(body).run(feature, "POST", route);
    }

    private static String constant(String line) {
        return line.replaceAll("\"created_at\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ\",", "")
                .replaceAll("\"total_duration\":\\d+,\"load_duration\":0,", "");
    }

    private List<String> lines(String route, String body, GenerationEvent... events) {
        inference.playing(events);
        FakeExchange exchange = post(route, body);
        if (exchange.response() != null) {
            throw new AssertionError("not a stream: " + exchange.status() + " " + exchange.text());
        }
        return Stream.of(exchange.streamed().split("\n"))
                .map(OllamaTest::constant)
                .toList();
    }

    @Test
    void offersTheContractsRoutesAndTheStockOnes() {
        assertEquals(List.of("ollama", "ollama-stock"), List.of(feature.name(), stock.name()));
        List<String> all = Stream.concat(feature.routes().stream(), stock.routes().stream())
                .map(r -> r.method() + " " + r.path())
                .toList();
        assertEquals(all.size(), all.stream().distinct().count());
        assertTrue(all.containsAll(List.of(
                "POST /ollama/api/chat",
                "POST /ollama/api/api/chat",
                "POST /ollama/api/v1/chat",
                "POST /ollama/api/generate",
                "GET /ollama/api/tags",
                "GET /ollama/api/api/tags",
                "GET /ollama/api/v1/tags",
                "POST /ollama/api/show",
                "GET /ollama/api/ps",
                "GET /ollama/api/version",
                "HEAD /ollama/api/version",
                "HEAD /ollama/",
                "POST /api/chat",
                "POST /api/embed",
                "POST /api/embeddings")));
        assertEquals(
                List.of(),
                all.stream()
                        .filter(r -> r.contains("openapi") || r.contains("docs"))
                        .toList());
        assertTrue(OllamaPlugin.class.getModule().getDescriptor().provides().stream()
                .anyMatch(p -> p.providers().contains(OllamaPlugin.class.getName())));
        assertEquals(
                List.of("/ollama/", "/ollama/"),
                feature.routes().stream()
                        .filter(r -> r.scope() == Route.Scope.OPEN && !r.path().endsWith("version"))
                        .map(Route::path)
                        .toList());
    }

    @Test
    void chatStreamsByDefault() {
        assertEquals(
                List.of(
                        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}",
                        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"done\":false}",
                        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"lo\"},\"done\":false}",
                        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\","
                                + END + "}"),
                lines(
                        "/ollama/api/chat",
                        ASK + "}",
                        ACCEPTED,
                        new Text(Channel.REASONING, "hm", List.of()),
                        text("Hel"),
                        text("lo"),
                        finished(FinishReason.STOP)));
    }

    @Test
    void toolCallsGoOutWholeWithObjectsForArguments() {
        List<String> lines = lines(
                "/ollama/api/v1/chat",
                ASK + "}",
                ACCEPTED,
                new ToolCallDelta(0, Optional.of("c1"), Optional.of("f"), ""),
                new ToolCallDelta(0, Optional.empty(), Optional.empty(), "{\"a\":"),
                new ToolCallDelta(0, Optional.empty(), Optional.empty(), "1}"),
                new ToolCallDelta(1, Optional.of("c2"), Optional.of("g"), ""),
                finished(FinishReason.STOP));
        assertEquals(
                "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"c1\","
                        + "\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"a\":1}}}]},\"done\":false}",
                lines.get(0));
        assertTrue(lines.get(1).contains("{\"index\":1,\"name\":\"g\",\"arguments\":{}}"), lines.get(1));
        assertTrue(lines.get(2).contains("\"done\":true,\"done_reason\":\"tool_call\""), lines.get(2));
        assertEquals(3, lines.size());
    }

    @Test
    void generateHasItsOwnFields() {
        List<String> lines = lines(
                "/ollama/api/generate",
                "{\"model\":\"m\",\"prompt\":\"hi\"}",
                ACCEPTED,
                new Text(Channel.REASONING, "hm", List.of()),
                text("Hi"),
                finished(FinishReason.LENGTH));
        assertEquals(
                List.of(
                        "{\"model\":\"m\",\"response\":\"\",\"thinking\":\"hm\",\"done\":false}",
                        "{\"model\":\"m\",\"response\":\"Hi\",\"done\":false}",
                        "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"length\"," + END + "}"),
                lines);
    }

    @Test
    void wholeAnswers() {
        inference.playing(
                ACCEPTED,
                new Text(Channel.REASONING, "hm", List.of()),
                text("Hel"),
                text("lo"),
                new ToolCallDelta(0, Optional.of("c1"), Optional.of("f"), "{}"),
                finished(FinishReason.STOP));
        assertEquals(
                "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello\",\"thinking\":\"hm\",\"tool_calls\":["
                        + "{\"id\":\"c1\",\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{}}}]},\"done\":true,\"done_reason\":\"tool_call\","
                        + END + "}",
                constant(post("/ollama/api/chat", ASK + ",\"stream\":false}").text()));
        inference.playing(
                ACCEPTED, new Text(Channel.REASONING, "hm", List.of()), text("Hello"), finished(FinishReason.STOP));
        assertEquals(
                "{\"model\":\"m\",\"response\":\"Hello\",\"thinking\":\"hm\",\"done\":true,\"done_reason\":\"stop\","
                        + END + "}",
                constant(post("/ollama/api/generate", "{\"model\":\"m\",\"prompt\":\"x\",\"stream\":false}")
                        .text()));
    }

    @Test
    void logprobsComeWithTheirText() {
        TokenLogprob token = new TokenLogprob(
                "x", -0.5, List.of(120), List.of(new TokenLogprob("y", -1.0, List.of(121), List.of())));
        List<String> lines = lines(
                "/ollama/api/chat",
                ASK + ",\"logprobs\":true,\"top_logprobs\":1}",
                ACCEPTED,
                new Text(Channel.CONTENT, "x", List.of(token)),
                finished(FinishReason.STOP));
        assertTrue(lines.getFirst()
                .contains("\"logprobs\":[{\"token\":\"x\",\"logprob\":-0.5,\"bytes\":[120],"
                        + "\"top_logprobs\":[{\"token\":\"y\",\"logprob\":-1.0,\"bytes\":[121]}]}]"));
    }

    @Test
    void aFailureInTheMiddleIsTheLastLine() {
        Failed lost = new Failed(Problem.of(Kind.NOT_READY, "instance_lost", "lost"));
        assertEquals(
                "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"lost\"},\"done\":true,\"done_reason\":\"error\",\"error\":\"lost\"}",
                lines("/ollama/api/chat", ASK + "}", ACCEPTED, text("x"), lost).getLast());
        assertEquals(
                "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"error\",\"error\":\"lost\"}",
                lines("/ollama/api/generate", "{\"model\":\"m\",\"prompt\":\"x\"}", ACCEPTED, text("x"), lost)
                        .getLast());
    }

    @Test
    void errorsHaveTheShapeOfTheirPlace() {
        inference.playing(new Failed(Problem.of(Kind.INTERNAL, "broken")));
        for (String body : List.of(ASK + "}", ASK + ",\"stream\":false}")) {
            FakeExchange contract = post("/ollama/api/chat", body);
            assertEquals(500, contract.status());
            assertEquals(
                    "{\"error\":{\"message\":\"broken\",\"type\":\"Internal Server Error\",\"param\":null,\"code\":500}}",
                    contract.text());
            FakeExchange other = new FakeExchange().body(body).run(stock, "POST", "/api/chat");
            assertEquals(500, other.status());
            assertEquals("{\"error\":\"broken\"}", other.text());
        }
        FakeExchange invalid = new FakeExchange().body("{}").run(stock, "POST", "/api/chat");
        assertEquals(422, invalid.status());
        assertEquals(
                Optional.of("Field required: body.model"),
                invalid.jsonResponse().string("error"));
        assertTrue(invalid.jsonResponse().has("detail"));
    }

    @Test
    void aClientThatLeavesCancelsTheGeneration() {
        inference.playing(ACCEPTED, text("x"));
        new FakeExchange().body(ASK + "}").leavingAfter(0).run(feature, "POST", "/ollama/api/chat");
        assertEquals(1, inference.cancelled());
        new FakeExchange()
                .body(ASK + ",\"stream\":false}")
                .leavingBeforeResponse()
                .run(feature, "POST", "/ollama/api/chat");
        assertEquals(2, inference.cancelled());
    }

    @Test
    void nothingToAnswerAsksWhetherTheModelIsThere() {
        assertEquals(404, post("/ollama/api/chat", "{\"model\":\"m\"}").status());
        cluster.show(Placed.view("m", Optional.of(1000)));
        assertEquals(
                "{\"model\":\"m:latest\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"load\"}",
                constant(post("/ollama/api/chat", "{\"model\":\"m:latest\"}")
                        .streamed()
                        .strip()));
        assertEquals(
                "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}",
                constant(post("/ollama/api/generate", "{\"model\":\"m\",\"stream\":false}")
                        .text()));
        assertEquals(List.of(), inference.requests());
    }

    @Test
    void aLargerContextThanThereIsIsCutToItAsOllamaDoes() {
        cluster.show(Placed.view("m", Optional.of(1000)));
        inference.playing(ACCEPTED, finished(FinishReason.STOP));
        for (String size : List.of("1000", "32768")) {
            assertEquals(
                    200,
                    post("/ollama/api/chat", ASK + ",\"options\":{\"num_ctx\":" + size + ",\"num_keep\":4}}")
                            .status());
        }
        assertEquals(
                422,
                post("/ollama/api/chat", ASK + ",\"options\":{\"num_ctx\":0}}").status());
    }

    @Test
    void theCatalog() {
        cluster.show(Placed.view("org/chat-1.5B-4bit", Optional.of(1000)));
        cluster.answering(operation -> operation instanceof Operation.ReadNode
                ? Placed.node()
                : List.of(
                        new Operation.CatalogEntry(Placed.card("org/chat-1.5B-4bit"), true),
                        new Operation.CatalogEntry(Placed.card("org/other"), false)));
        FakeExchange tags = new FakeExchange().run(feature, "GET", "/ollama/api/tags");
        assertEquals(
                "{\"models\":[{\"name\":\"org/chat-1.5B-4bit\",\"model\":\"org/chat-1.5B-4bit\",\"size\":3145728,\"digest\":\"sha256:000000000000\","
                        + "\"details\":{\"parent_model\":\"\",\"format\":\"mlx\",\"family\":\"llama\",\"families\":[\"llama\"],\"parameter_size\":\"1.5B\",\"quantization_level\":\"4bit\"}}]}",
                tags.text().replaceAll("\"modified_at\":\"[^\"]*Z\",", ""));
        JsonObject ps = new FakeExchange().run(feature, "GET", "/ollama/api/ps").jsonResponse();
        String running = ps.array("models").orElseThrow().items().getFirst().toString();
        assertTrue(running.contains("\"size\":0,") && running.contains("\"size_vram\":3145728"), running);
        JsonObject shown = post("/ollama/api/show", "{\"model\":\"org/other\"}").jsonResponse();
        assertEquals(Optional.of("FROM org/other"), shown.string("modelfile"));
        assertEquals(Optional.of("{{ .Prompt }}"), shown.string("template"));
        assertEquals(
                "{\"general.architecture\":\"llama\",\"general.basename\":\"other\",\"llama.block_count\":2,\"llama.context_length\":2048,"
                        + "\"llama.embedding_length\":64,\"llama.attention.head_count_kv\":2}",
                shown.find("model_info").orElseThrow().toString());
        assertEquals(
                200, post("/ollama/api/show", "{\"name\":\"org/other:latest\"}").status());
        for (String own : List.of("\"system\":\"s\"", "\"template\":\"t\"", "\"options\":{\"seed\":1}")) {
            assertEquals(
                    400,
                    post("/ollama/api/show", "{\"model\":\"org/other\",\"verbose\":true," + own + "}")
                            .status(),
                    own);
        }
        FakeExchange unnamed = post("/ollama/api/show", "{}");
        assertEquals(400, unnamed.status());
        assertTrue(unnamed.text().contains("name or model is required"));
        assertEquals(404, post("/ollama/api/show", "{\"model\":\"org/none\"}").status());
        assertEquals(
                "{\"version\":\"skulk v0.1.0\"}",
                new FakeExchange().run(feature, "HEAD", "/ollama/api/version").text());
        assertEquals(200, new FakeExchange().run(feature, "HEAD", "/ollama/").status());
    }

    @Test
    void embeddings() {
        cluster.answering(operation -> List.of(
                new Operation.CatalogEntry(Placed.card("org/chat"), true),
                new Operation.CatalogEntry(Placed.embedder("org/embed"), true)));
        inference.embedding(request -> new Embeddings(
                request.inputs().stream().map(i -> new float[] {i.length()}).toList(), 7));
        JsonObject several = post(
                        "/ollama/api/embed",
                        "{\"model\":\"org/embed\",\"input\":[\"a\",\"bb\"],\"truncate\":true,\"options\":{\"num_gpu\":1}}")
                .jsonResponse();
        assertEquals("[[1.0],[2.0]]", several.find("embeddings").orElseThrow().toString());
        assertEquals(Optional.of(7L), several.integer("prompt_eval_count"));
        assertEquals(
                "{\"embedding\":[3.0]}",
                post("/ollama/api/embeddings", "{\"model\":\"org/embed\",\"prompt\":\"abc\"}")
                        .text());
        for (String refused : List.of(
                "\"input\":[]",
                "\"input\":\"\"",
                "\"input\":\"a\",\"dimensions\":2",
                "\"input\":\"a\",\"keep_alive\":0")) {
            assertEquals(
                    400,
                    post("/ollama/api/embed", "{\"model\":\"org/embed\"," + refused + "}")
                            .status(),
                    refused);
        }
        assertEquals(
                400,
                post("/ollama/api/embed", "{\"model\":\"org/chat\",\"input\":\"a\"}")
                        .status());
        assertEquals(422, post("/ollama/api/embed", "{\"model\":\"org/embed\"}").status());
        assertEquals(
                200,
                post(
                                "/ollama/api/embed",
                                "{\"model\":\"org/embed\",\"input\":\"a\",\"options\":{\"seed\":1,\"temperature\":0.8,\"num_ctx\":99}}")
                        .status(),
                "clients send the same options everywhere");
        assertEquals(
                422,
                post("/ollama/api/embed", "{\"model\":\"org/embed\",\"input\":\"a\",\"options\":{\"seed\":\"x\"}}")
                        .status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"5m", "-1", "3600"})
    void anyTimeToStayIsHonoured(String time) {
        inference.playing(ACCEPTED, finished(FinishReason.STOP));
        assertEquals(
                200,
                post("/ollama/api/chat", ASK + ",\"keep_alive\":\"" + time + "\"}")
                        .status());
    }
}
