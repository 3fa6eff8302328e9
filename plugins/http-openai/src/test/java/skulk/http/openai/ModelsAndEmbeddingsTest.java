package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.cluster.Memory;
import skulk.api.fake.FakeExchange;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class ModelsAndEmbeddingsTest {
    private static final String EMBEDDINGS = "/v1/embeddings";

    private final Dialect dialect = new Dialect();

    @BeforeEach
    void catalog() {
        dialect.cluster.answering(operation -> switch (operation) {
            case Operation.ListModels list ->
                List.of(
                        new Operation.CatalogEntry(
                                card("org/chat", List.of("TextGeneration"), List.of("text", "thinking")), false),
                        new Operation.CatalogEntry(
                                card("org/embed", List.of("TextEmbedding"), List.of("embedding")), true),
                        new Operation.CatalogEntry(
                                card("org/short", List.of("TextEmbedding"), List.of("embedding", "matryoshka")), true));
            default -> throw new AssertionError(operation);
        });
        dialect.inference.embedding(request -> new Embeddings(
                request.inputs().stream()
                        .map(i -> new float[] {i.length(), 0.5f})
                        .toList(),
                7));
    }

    @AfterEach
    void stop() {
        dialect.close();
    }

    private static ModelCard card(String id, List<String> tasks, List<String> capabilities) {
        return new ModelCard(
                new ModelId(id),
                new Memory(3L * 1024 * 1024),
                2,
                64,
                true,
                Optional.of(2),
                tasks,
                Optional.empty(),
                "llama",
                "4bit",
                "base",
                Optional.empty(),
                capabilities,
                2048,
                false,
                true,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(new ModelCard.Tooling(true, "generic", List.of())),
                Optional.empty(),
                Optional.empty());
    }

    @Test
    void listsTheCatalogInTheContractsShape() {
        JsonObject list =
                new FakeExchange().run(dialect.feature, "GET", "/v1/models").jsonResponse();
        assertEquals(Optional.of("list"), list.string("object"));
        String entry = list.array("data").orElseThrow().items().getFirst().toString();
        assertEquals(
                "{\"id\":\"org/chat\",\"object\":\"model\",\"created\":0,\"owned_by\":\"skulk\",\"hugging_face_id\":\"org/chat\",\"name\":\"chat\","
                        + "\"description\":\"\",\"context_length\":2048,\"tags\":[\"thinking\",\"tensor\"],\"storage_size_megabytes\":3,"
                        + "\"supports_tensor\":true,\"tasks\":[\"TextGeneration\"],\"is_custom\":false,\"family\":\"llama\",\"quantization\":\"4bit\","
                        + "\"base_model\":\"base\",\"capabilities\":[\"text\",\"thinking\"],\"reasoning\":null,\"modalities\":null,"
                        + "\"tooling\":{\"supports_tool_calling\":true,\"tool_call_format\":\"generic\",\"builtin_tools\":[]},\"runtime\":null,"
                        + "\"resolved_capabilities\":{\"family\":\"llama\",\"supports_thinking\":true,\"supports_thinking_toggle\":false,"
                        + "\"supports_thinking_budget\":false,\"default_reasoning_effort\":null,\"disabled_reasoning_effort\":null,"
                        + "\"thinking_format\":\"token_delimited\",\"supports_image_input\":false,\"supports_audio_input\":false,"
                        + "\"supports_tool_calling\":true,\"builtin_tools\":[],\"tool_call_format\":\"generic\",\"prompt_renderer\":\"tokenizer\","
                        + "\"output_parser\":\"generic\",\"supports_native_multimodal\":false}}",
                entry.replaceAll("\"created\":\\d+", "\"created\":0"));
    }

    @Test
    void filtersByStatusAndFindsOne() {
        assertEquals(
                2,
                new FakeExchange()
                        .queryParameter("status", "downloaded")
                        .run(dialect.feature, "GET", "/models")
                        .jsonResponse()
                        .array("data")
                        .orElseThrow()
                        .size());
        FakeExchange one =
                new FakeExchange().pathParameter("id", "org/embed").run(dialect.feature, "GET", "/v1/models/{id+}");
        assertEquals(Optional.of("embed"), one.jsonResponse().string("name"));
        assertEquals(
                404,
                new FakeExchange()
                        .pathParameter("id", "org/nope")
                        .run(dialect.feature, "GET", "/v1/models/{id+}")
                        .status());
    }

    @Test
    void embedsInOrder() {
        assertEquals(
                "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[1.0,0.5]},"
                        + "{\"object\":\"embedding\",\"index\":1,\"embedding\":[2.0,0.5]}],\"model\":\"org/embed\","
                        + "\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}",
                dialect.post(EMBEDDINGS, "{\"model\":\"org/embed\",\"input\":[\"a\",\"bb\"]}")
                        .text());
    }

    @Test
    void base64IsLittleEndian() {
        Json first = dialect.post(
                        EMBEDDINGS, "{\"model\":\"org/embed\",\"input\":\"a\",\"encoding_format\":\"base64\"}")
                .jsonResponse()
                .array("data")
                .orElseThrow()
                .items()
                .getFirst();
        assertEquals(Optional.of("AACAPwAAAD8="), ((JsonObject) first).string("embedding"));
    }

    @Test
    void dimensionsReachModelsThatAllowThem() {
        dialect.inference.embedding(
                request -> new Embeddings(List.of(new float[request.dimensions().orElseThrow()]), 1));
        assertEquals(
                200,
                dialect.post(EMBEDDINGS, "{\"model\":\"org/short\",\"input\":\"a\",\"dimensions\":1}")
                        .status());
    }

    @Test
    void aBrokenRunnerIsA500() {
        dialect.inference.embedding(request -> {
            throw new SkulkException(Problem.Kind.INTERNAL, "out of luck");
        });
        FakeExchange exchange = dialect.post(EMBEDDINGS, "{\"model\":\"org/embed\",\"input\":\"a\"}");
        assertEquals(500, exchange.status());
        assertEquals(
                Optional.of("Embedding failed: out of luck"),
                exchange.jsonResponse().object("error").orElseThrow().string("message"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"model\":\"org/chat\",\"input\":\"\",\"dimensions\":3}|400|input must not be empty",
                "{\"model\":\"org/chat\",\"input\":[]}|400|input must not be empty",
                "{\"model\":\"org/chat\",\"input\":[\"a\",\"\"]}|400|input must not be empty",
                "{\"model\":\"org/chat\",\"input\":\"a\",\"dimensions\":3}|400|dimensions",
                "{\"model\":\"org/chat\",\"input\":\"a\"}|400|Model org/chat is not an embedding model",
                "{\"model\":\"org/embed\",\"input\":[1,2]}|400|token ids",
                "{\"model\":\"org/embed\",\"input\":\"a\",\"encoding_format\":\"int8\"}|422|Input should be",
                "{\"model\":\"org/embed\",\"input\":5}|422|list of strings",
                "{\"input\":\"a\"}|422|Field required",
                "{\"model\":\"org/embed\",\"input\":\"a\",\"more\":1}|422|Extra"
            })
    void refusalsInTheOrderOfTheContract(String body, int status, String message) {
        FakeExchange exchange = dialect.post(EMBEDDINGS, body);
        assertEquals(status, exchange.status(), exchange.text());
        assertEquals(true, exchange.text().contains(message), exchange.text());
    }

    @Test
    void anUnplacedModelIsNotFound() {
        dialect.inference.embedding(request -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + request.model());
        });
        assertEquals(
                404,
                dialect.post(EMBEDDINGS, "{\"model\":\"org/embed\",\"input\":\"a\"}")
                        .status());
        assertEquals(
                404,
                dialect.post(EMBEDDINGS, "{\"model\":\"org/other\",\"input\":\"a\"}")
                        .status());
    }
}
