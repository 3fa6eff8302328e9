package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Embeddings of a packaged node in both dialects that have them: the published MiniLM-L6-v2, and a decoder whose hidden states are pooled. */
@ExtendWith(SharedNode.class)
class EmbeddingsIT {
    private static final String OPENAI = "/v1/embeddings";
    private static final String OLLAMA = "/api/embed";
    private static final List<String> TEXTS = List.of(
            "How do I reset my password?",
            "The stock market fell sharply on Monday.",
            "I forgot my login credentials and need to recover my account.",
            "a",
            "Größere Straßen führen über die Brücke nach Köln. ".repeat(8),
            "🦨");

    private static JsonObject body(String model, List<String> inputs) {
        return JsonObject.of("model", model).with("input", inputs);
    }

    private static JsonObject sent(ServingNode node, String path, JsonObject body) throws Exception {
        HttpResponse<String> answer = node.post(path, body.toString());
        assertEquals(200, answer.statusCode(), answer.body());
        return (JsonObject) Json.parse(answer.body());
    }

    private static List<float[]> openai(ServingNode node, JsonObject body) throws Exception {
        List<float[]> vectors = new ArrayList<>();
        for (Json item : sent(node, OPENAI, body).array("data").orElseThrow()) {
            JsonObject embedding = (JsonObject) item;
            assertEquals(vectors.size(), embedding.integer("index").orElseThrow());
            vectors.add(vector(embedding.find("embedding").orElseThrow()));
        }
        return vectors;
    }

    private static List<float[]> ollama(ServingNode node, JsonObject body) throws Exception {
        List<float[]> vectors = new ArrayList<>();
        sent(node, OLLAMA, body).array("embeddings").orElseThrow().forEach(item -> vectors.add(vector(item)));
        return vectors;
    }

    private static float[] vector(Json json) {
        if (json instanceof JsonString(String text)) {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(text)).order(ByteOrder.LITTLE_ENDIAN);
            float[] out = new float[bytes.remaining() / Float.BYTES];
            bytes.asFloatBuffer().get(out);
            return out;
        }
        List<Json> numbers = ((JsonArray) json).items();
        float[] out = new float[numbers.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) ((JsonNumber) numbers.get(i)).toDouble();
        }
        return out;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    private static void same(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), "vector " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({
        EmbedModels.MINILM + "," + EmbedModels.MINILM_DIMENSIONS,
        EmbedModels.POOLED + "," + EmbedModels.POOLED_DIMENSIONS
    })
    void everyWayGivesTheSameVectorsInTheOrderOfTheTexts(String model, int dimensions, ServingNode node)
            throws Exception {
        List<float[]> vectors = openai(node, body(model, TEXTS));
        for (float[] vector : vectors) {
            assertEquals(dimensions, vector.length);
            assertEquals(1, dot(vector, vector), 1e-5);
        }
        same(vectors, openai(node, body(model, TEXTS).with("encoding_format", "base64")));
        same(vectors.reversed(), openai(node, body(model, TEXTS.reversed()).with("encoding_format", "float")));
        same(vectors, ollama(node, body(model, TEXTS)));
        for (int i = 0; i < TEXTS.size(); i++) {
            same(
                    List.of(vectors.get(i)),
                    openai(node, JsonObject.of("model", model).with("input", TEXTS.get(i))));
            JsonObject older = JsonObject.of("model", model).with("prompt", TEXTS.get(i));
            Json one = sent(node, "/api/embeddings", older).find("embedding").orElseThrow();
            assertArrayEquals(vectors.get(i), vector(one));
        }
    }

    /** The two texts about lost passwords are near to each other, and their tokens are counted with those around them. */
    @Test
    void theEncoderKnowsWhatTextsMean(ServingNode node) throws Exception {
        List<float[]> vectors = openai(node, body(EmbedModels.MINILM, TEXTS));
        double near = dot(vectors.get(0), vectors.get(2));
        double far = dot(vectors.get(0), vectors.get(1));
        assertTrue(near > 0.5 && far < 0.2, near + " and " + far);
        JsonObject reply = sent(node, OPENAI, body(EmbedModels.MINILM, List.of("a", "a a")));
        assertEquals("list", reply.string("object").orElseThrow());
        assertEquals(EmbedModels.MINILM, reply.string("model").orElseThrow());
        JsonObject usage = reply.object("usage").orElseThrow();
        assertEquals(3 + 4, usage.integer("prompt_tokens").orElseThrow());
        assertEquals(3 + 4, usage.integer("total_tokens").orElseThrow());
        JsonObject ollama = sent(node, OLLAMA, body(EmbedModels.MINILM, List.of("a", "a a")));
        assertEquals(3 + 4, ollama.integer("prompt_eval_count").orElseThrow());
    }

    @Test
    void manyAtOnceKeepTheirOrder(ServingNode node) throws Exception {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            texts.add("Text number %d %s".formatted(i, "and more ".repeat(i % 7)));
        }
        List<float[]> expected = openai(node, body(EmbedModels.MINILM, texts));
        try (ExecutorService clients = Executors.newFixedThreadPool(8)) {
            List<Callable<List<float[]>>> calls = new ArrayList<>();
            for (int start = 0; start < texts.size(); start += 4) {
                JsonObject some = body(EmbedModels.MINILM, texts.subList(start, start + 4));
                calls.add(() -> openai(node, some));
            }
            List<float[]> all = new ArrayList<>();
            for (Future<List<float[]>> call : clients.invokeAll(calls)) {
                all.addAll(call.get());
            }
            same(expected, all);
        }
    }

    @Test
    void whatIsTooLongIsRefusedUnlessItMayBeCut(ServingNode node) throws Exception {
        List<String> texts = List.of("short", "word ".repeat(EmbedModels.MINILM_TOKENS));
        String named = "input[1] has %d tokens, the model takes %d"
                .formatted(EmbedModels.MINILM_TOKENS + 2, EmbedModels.MINILM_TOKENS);
        HttpResponse<String> refused =
                node.post(OPENAI, body(EmbedModels.MINILM, texts).toString());
        assertEquals(400, refused.statusCode(), refused.body());
        JsonObject error =
                ((JsonObject) Json.parse(refused.body())).object("error").orElseThrow();
        assertTrue(error.string("message").orElseThrow().contains(named), refused.body());
        HttpResponse<String> uncut = node.post(
                OLLAMA, body(EmbedModels.MINILM, texts).with("truncate", false).toString());
        assertEquals(400, uncut.statusCode(), uncut.body());
        assertTrue(((JsonObject) Json.parse(uncut.body()))
                .string("error")
                .orElseThrow()
                .contains(named));
        List<float[]> cut = ollama(node, body(EmbedModels.MINILM, texts));
        String kept = "word ".repeat(EmbedModels.MINILM_TOKENS - 2);
        same(cut, openai(node, body(EmbedModels.MINILM, List.of("short", kept))));
        same(cut, ollama(node, body(EmbedModels.MINILM, texts).with("truncate", true)));
    }

    @Test
    void dimensionsAreForModelsThatAllowThem(ServingNode node) throws Exception {
        List<float[]> whole = openai(node, body(EmbedModels.POOLED, TEXTS));
        JsonObject asked = body(EmbedModels.POOLED, TEXTS).with("dimensions", 8);
        List<float[]> few = openai(node, asked);
        same(few, ollama(node, asked));
        for (int i = 0; i < few.size(); i++) {
            assertEquals(8, few.get(i).length);
            assertEquals(1, dot(few.get(i), few.get(i)), 1e-5);
            float[] beginning = java.util.Arrays.copyOf(whole.get(i), 8);
            assertEquals(Math.sqrt(dot(beginning, beginning)), dot(beginning, few.get(i)), 1e-5, "the same direction");
        }
        refused(node, body(EmbedModels.POOLED, TEXTS).with("dimensions", 1000), 400, "dimensions is 1000");
        refused(node, body(EmbedModels.MINILM, TEXTS).with("dimensions", 8), 400, "'dimensions' is not supported");
    }

    @Test
    void refusalsNameWhatIsWrong(ServingNode node) throws Exception {
        refused(node, body(EmbedModels.MINILM, List.of()), 400, "input must not be empty");
        refused(node, body(EmbedModels.MINILM, List.of("a", "")), 400, "input must not be empty");
        String chat = "Model %s is not an embedding model".formatted(ServingNode.TINY);
        refused(node, body(ServingNode.TINY, TEXTS), 400, chat);
        refused(node, body("nobody/nothing", TEXTS), 404, "No instance found for model nobody/nothing");
    }

    /** By both dialects. */
    private static void refused(ServingNode node, JsonObject body, int status, String message) throws Exception {
        for (String path : List.of(OPENAI, OLLAMA)) {
            HttpResponse<String> answer = node.post(path, body.toString());
            assertEquals(status, answer.statusCode(), path + ": " + answer.body());
            assertTrue(answer.body().contains(message), path + ": " + answer.body());
        }
    }

    /** A model that only embeds says so to whoever chats with it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions|,'messages':[{'role':'user','content':'Hi'}]",
                "/v1/completions|,'prompt':'Hi'",
                "/v1/responses|,'input':'Hi'",
                "/v1/messages|,'max_tokens':5,'messages':[{'role':'user','content':'Hi'}]",
                "/v1/messages/count_tokens|,'messages':[{'role':'user','content':'Hi'}]",
                "/api/chat|,'messages':[{'role':'user','content':'Hi'}]",
                "/api/generate|,'prompt':'Hi'"
            })
    void doesNotChat(String path, String more, ServingNode node) throws Exception {
        for (String model : List.of(EmbedModels.MINILM, EmbedModels.POOLED)) {
            HttpResponse<String> answer =
                    node.post(path, "{\"model\":\"%s\"%s}".formatted(model, more.replace('\'', '"')));
            assertEquals(400, answer.statusCode(), answer.body());
            assertTrue(answer.body().contains("makes embeddings"), answer.body());
        }
    }
}
