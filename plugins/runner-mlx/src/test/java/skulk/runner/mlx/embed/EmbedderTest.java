package skulk.runner.mlx.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.embed.ToyBert.Spec;

/** What requests may ask, and what folders may say. */
class EmbedderTest {
    private final ToyBert toy = new ToyBert(Spec.plain());

    @TempDir
    private Path folder;

    private Embedder load() throws IOException {
        return load(toy.config());
    }

    private Embedder load(JsonObject config) throws IOException {
        toy.write(folder, config);
        return EmbedderLoader.load(folder, EmbedOptions.defaults());
    }

    private static String wordsOf(int count) {
        return ToyBert.text(IntStream.range(0, count).map(i -> i % 30).toArray());
    }

    @Test
    void countsSpecialTokensAndAllowsAnEmptyText() throws IOException {
        try (Embedder embedder = load()) {
            Embeddings reply = embedder.embed(Requests.of(List.of("", "w1 w2 w3")));
            assertEquals(2 + 5, reply.promptTokens());
            assertEquals(2, reply.vectors().size());
            for (float[] vector : reply.vectors()) {
                double squares = IntStream.range(0, vector.length)
                        .mapToDouble(i -> vector[i] * vector[i])
                        .sum();
                assertEquals(1, squares, 1e-6);
            }
        }
    }

    @Test
    void refusesARequestWithoutTexts() throws IOException {
        try (Embedder embedder = load()) {
            assertProblem(Kind.USER_ERROR, "input must not be empty", () -> embedder.embed(Requests.of(List.of())));
        }
    }

    @Test
    void cutsOrRefusesTextsOverTheLimit() throws IOException {
        try (Embedder embedder = load()) {
            assertEquals(ToyBert.POSITIONS, embedder.maxTokens());
            List<String> texts = List.of("w1", wordsOf(49));
            SkulkException refused = assertProblem(
                    Kind.USER_ERROR,
                    "input[1] has 51 tokens, the model takes 50",
                    () -> embedder.embed(Requests.of(texts)));
            assertEquals("context_length_exceeded", refused.problem().code());
            Embeddings cut = embedder.embed(Requests.of(texts, Optional.empty(), true));
            assertEquals(3 + 50, cut.promptTokens());
            float[] whole = Requests.embed(embedder, List.of(wordsOf(48))).getFirst();
            assertArrayEquals(whole, cut.vectors().get(1), "the end is cut, the special tokens stay");
        }
    }

    @Test
    void takesTheLimitOfTheSentenceFilesFirst() throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\":20}");
        try (Embedder embedder = load()) {
            assertEquals(20, embedder.maxTokens());
        }
        Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\":30}");
        try (Embedder embedder = load()) {
            assertEquals(30, embedder.maxTokens());
        }
        Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\":3000}");
        try (Embedder embedder = load()) {
            assertEquals(ToyBert.POSITIONS, embedder.maxTokens(), "there are no more positions");
        }
    }

    @Test
    void robertaLosesPositionsToThePadding() throws IOException {
        ToyBert roberta = new ToyBert(Spec.plain().withTypeAndPrefix("roberta", ""));
        roberta.write(folder);
        try (Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults())) {
            assertEquals(ToyBert.POSITIONS - 2, embedder.maxTokens());
            Requests.embed(embedder, List.of(wordsOf(ToyBert.POSITIONS - 4)));
        }
    }

    @Test
    void shortensVectorsWhereTheModelAllowsIt() throws IOException {
        try (Embedder embedder = load()) {
            assertProblem(
                    Kind.USER_ERROR,
                    "dimensions is 8; this model makes vectors of 24 only",
                    () -> embedder.embed(Requests.of(List.of("w1"), Optional.of(8), false)));
            assertEquals(
                    24,
                    embedder.embed(Requests.of(List.of("w1"), Optional.of(24), false))
                            .vectors()
                            .getFirst()
                            .length);
        }
        try (Embedder embedder = load(toy.config().with("is_matryoshka", true))) {
            float[] whole = Requests.embed(embedder, List.of("w1 w2")).getFirst();
            float[] cut = embedder.embed(Requests.of(List.of("w1 w2"), Optional.of(8), false))
                    .vectors()
                    .getFirst();
            assertEquals(8, cut.length);
            double length = Math.sqrt(
                    IntStream.range(0, 8).mapToDouble(i -> whole[i] * whole[i]).sum());
            for (int i = 0; i < 8; i++) {
                assertEquals(whole[i] / length, cut[i], 1e-6);
            }
            for (int wrong : new int[] {0, -1, 25}) {
                assertProblem(
                        Kind.USER_ERROR,
                        "dimensions is " + wrong + "; vectors have 1 to 24",
                        () -> embedder.embed(Requests.of(List.of("w1"), Optional.of(wrong), false)));
            }
        }
        try (Embedder embedder = load(toy.config().with("matryoshka_dimensions", List.of(4, 8)))) {
            embedder.embed(Requests.of(List.of("w1"), Optional.of(4), false));
            assertProblem(
                    Kind.USER_ERROR,
                    "dimensions is 5; possible are [4, 8]",
                    () -> embedder.embed(Requests.of(List.of("w1"), Optional.of(5), false)));
        }
    }

    @Test
    void putsTheDefaultPromptBeforeTextsAndLowersCase() throws IOException {
        float[] expected;
        try (Embedder embedder = load()) {
            expected = Requests.embed(embedder, List.of("w7 w8 w1")).getFirst();
        }
        Files.writeString(
                folder.resolve("config_sentence_transformers.json"),
                "{\"prompts\":{\"query\":\"w7 w8 \"},\"default_prompt_name\":\"query\"}");
        Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"do_lower_case\":true}");
        try (Embedder embedder = load()) {
            assertArrayEquals(expected, Requests.embed(embedder, List.of("W1")).getFirst());
        }
    }

    @Test
    void refusesFoldersThatItCannotHonour() throws IOException {
        assertFolder("hidden_act is silly", () -> load(toy.config().with("hidden_act", "silly")));
        assertFolder("model_type t5 is not supported", () -> load(toy.config().with("model_type", "t5")));
        assertFolder("vocab_size is missing", () -> load(without("vocab_size")));
        assertFolder(
                "position_embedding_type is relative_key",
                () -> load(toy.config().with("position_embedding_type", "relative_key")));
        assertFolder(
                "tensor embeddings.word_embeddings.weight has shape [40, 24], expected [41, 24]",
                () -> load(toy.config().with("vocab_size", 41)));
        assertFolder(
                "tensor encoder.layer.2.attention.self.query.weight is missing",
                () -> load(toy.config().with("num_hidden_layers", 3)));
        Path modules = folder.resolve("modules.json");
        Files.writeString(modules, "[{\"type\":\"sentence_transformers.models.Dense\",\"path\":\"2_Dense\"}]");
        assertFolder("type is sentence_transformers.models.Dense", this::load);
        Files.delete(modules);
        Path pooling = Files.createDirectories(folder.resolve("1_Pooling")).resolve("config.json");
        Files.writeString(pooling, "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":true}");
        assertFolder("pooling_mode_mean_tokens is true beside pooling_mode_cls_token", this::load);
        Files.writeString(pooling, "{\"word_embedding_dimension\":768}");
        assertFolder("word_embedding_dimension is 768, the model's rows have 24", this::load);
    }

    private JsonObject without(String name) {
        JsonObject.Builder out = JsonObject.builder();
        toy.config().members().forEach((field, value) -> {
            if (!field.equals(name)) {
                out.put(field, value);
            }
        });
        return out.build();
    }

    @Test
    void servesManyCallersAtOnce() throws Exception {
        try (Embedder embedder = load();
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<List<String>> requests = IntStream.range(0, 40)
                    .mapToObj(i -> IntStream.range(0, 1 + i % 7)
                            .mapToObj(j -> wordsOf((i * 5 + j * 3) % 40))
                            .toList())
                    .toList();
            List<Callable<List<float[]>>> calls = requests.stream()
                    .map(texts -> (Callable<List<float[]>>) () -> Requests.embed(embedder, texts))
                    .toList();
            List<Future<List<float[]>>> replies = callers.invokeAll(calls);
            for (int i = 0; i < requests.size(); i++) {
                List<float[]> expected = new ArrayList<>();
                for (String text : requests.get(i)) {
                    expected.add(Requests.embed(embedder, List.of(text)).getFirst());
                }
                assertArrayEquals(expected.toArray(), replies.get(i).get().toArray());
            }
            assertFalse(embedder.report().integer("texts").orElseThrow() < 2L * requests.size());
        }
    }

    @Test
    void refusesRequestsOnceClosed() throws IOException {
        Embedder embedder = load();
        embedder.close();
        embedder.close();
        assertProblem(Kind.NOT_READY, "shutting down", () -> embedder.embed(Requests.of(List.of("w1"))));
    }

    @Test
    void reportsWhatItIs() throws IOException {
        try (Embedder embedder = load()) {
            Requests.embed(embedder, List.of("w1", "w2 w3"));
            JsonObject report = embedder.report();
            assertEquals("bert", report.string("modelType").orElseThrow());
            assertEquals(24, report.integer("dimensions").orElseThrow());
            assertEquals(2, report.integer("texts").orElseThrow());
            assertEquals(7, report.integer("tokens").orElseThrow());
        }
    }

    private static SkulkException assertProblem(Kind kind, String message, Runnable call) {
        SkulkException thrown = assertThrows(SkulkException.class, call::run);
        assertEquals(kind, thrown.problem().kind());
        assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
        return thrown;
    }

    private static void assertFolder(String message, Callable<Embedder> load) {
        CheckpointException thrown = assertThrows(CheckpointException.class, load::call);
        assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
    }
}
