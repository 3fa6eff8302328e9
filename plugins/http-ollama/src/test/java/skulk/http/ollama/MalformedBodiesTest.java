package skulk.http.ollama;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** Whatever a client sends, the answer is one of the intended statuses and nothing is thrown. */
class MalformedBodiesTest {
    private static final int ROUNDS = 1_500;
    private static final List<String> JUNK = List.of(
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "1e-400",
            "99999999999999999999",
            "1.5",
            "\"\"",
            "\"x\"",
            "\"\\u0000\"",
            "[]",
            "[[]]",
            "[null]",
            "{}",
            "{\"type\":\"text\"}",
            "{\"type\":null}",
            "[{\"type\":\"function\"}]",
            "\"../..\"");
    private static final Map<String, String> GOOD = Map.of(
            "/api/chat",
            "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"images\":[]},{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"t\","
                    + "\"tool_calls\":[{\"id\":\"1\",\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{}}}]},{\"role\":\"tool\",\"content\":\"1\",\"tool_name\":\"f\"}],"
                    + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}],\"format\":{\"type\":\"object\"},\"think\":true,\"stream\":false,\"keep_alive\":\"5m\","
                    + "\"options\":{\"num_predict\":5,\"temperature\":1,\"stop\":[\"a\"],\"seed\":1,\"num_ctx\":5,\"mirostat\":0}}",
            "/api/generate",
            "{\"model\":\"m\",\"prompt\":\"a\",\"system\":\"s\",\"raw\":false,\"suffix\":\"\",\"context\":[],\"logprobs\":true,\"top_logprobs\":1}",
            "/api/embed",
            "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"truncate\":true,\"options\":{\"num_gpu\":1}}",
            "/api/embeddings",
            "{\"model\":\"m\",\"prompt\":\"a\",\"keep_alive\":1}",
            "/api/show",
            "{\"model\":\"m\",\"name\":\"m\",\"verbose\":true}");

    private final Random random = new Random(42);

    @Test
    void neverAnythingButAnIntendedStatus() {
        FakeInference inference = new FakeInference()
                .playing(
                        new GenerationEvent.Accepted(1, 0),
                        new GenerationEvent.Failed(Problem.of(Problem.Kind.USER_ERROR, "enough")));
        HttpFeature stock = (HttpFeature) new OllamaPlugin()
                .start(FakeContext.create().with(inference).with(new FakeCluster().answering(operation -> List.of())))
                .getLast();
        for (Map.Entry<String, String> entry : GOOD.entrySet()) {
            Json good = Json.parse(entry.getValue());
            for (int i = 0; i < ROUNDS; i++) {
                String body = mutate(good).toString();
                body = random.nextInt(10) == 0 ? body.substring(0, random.nextInt(body.length())) : body;
                FakeExchange exchange = new FakeExchange().body(body).run(stock, "POST", entry.getKey());
                assertTrue(List.of(200, 400, 404, 422).contains(exchange.status()), body);
            }
        }
    }

    /** The value with one thing in it replaced, removed or added. */
    private Json mutate(Json value) {
        if (random.nextInt(6) == 0) {
            return Json.parse(JUNK.get(random.nextInt(JUNK.size())));
        }
        return switch (value) {
            case JsonObject object
            when !object.members().isEmpty() -> {
                Map<String, Json> members = new LinkedHashMap<>(object.members());
                String name = List.copyOf(members.keySet()).get(random.nextInt(members.size()));
                switch (random.nextInt(8)) {
                    case 0 -> members.remove(name);
                    case 1 -> members.put("surprise", Json.NULL);
                    default -> members.put(name, mutate(members.get(name)));
                }
                yield Json.of(members);
            }
            case JsonArray array
            when array.size() > 0 -> {
                List<Json> items = new ArrayList<>(array.items());
                int at = random.nextInt(items.size());
                items.set(at, mutate(items.get(at)));
                yield new JsonArray(items);
            }
            default -> Json.parse(JUNK.get(random.nextInt(JUNK.size())));
        };
    }
}
