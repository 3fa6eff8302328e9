package skulk.http.ollama;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.fake.MalformedJson;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.Json;
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

    private final MalformedJson malformed = new MalformedJson(JUNK);

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
                String body = malformed.of(good);
                FakeExchange exchange = new FakeExchange().body(body).run(stock, "POST", entry.getKey());
                assertTrue(List.of(200, 400, 404, 422).contains(exchange.status()), body);
            }
        }
    }
}
