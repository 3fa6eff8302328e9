package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.MalformedJson;
import skulk.api.json.Json;

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
            "/v1/chat/completions",
            "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]},{\"role\":\"assistant\",\"content\":null,"
                    + "\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}],\"stop\":[\"a\"],\"n\":1,\"seed\":1,"
                    + "\"logit_bias\":{\"1\":1},\"logprobs\":true,\"top_logprobs\":1,\"temperature\":1,\"stream_options\":{\"include_usage\":true},"
                    + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
                    + "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{}}},\"metadata\":{},\"store\":false,\"chat_template_kwargs\":{\"a\":1}}",
            "/v1/completions",
            "{\"model\":\"m\",\"prompt\":[[1,2],\"a\"],\"echo\":false,\"n\":1,\"best_of\":1,\"logprobs\":1,\"suffix\":\"\",\"stop\":\"x\",\"max_tokens\":3}",
            "/v1/responses",
            "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]},{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"r\"}]},"
                    + "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"1\"}],"
                    + "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}],\"text\":{\"format\":{\"type\":\"text\"}},\"reasoning\":{\"effort\":\"low\"},\"include\":[],\"metadata\":{},\"top_logprobs\":0}",
            "/v1/embeddings",
            "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"encoding_format\":\"float\",\"user\":\"u\"}");

    private final MalformedJson malformed = new MalformedJson(JUNK);

    @Test
    void neverAnythingButAnIntendedStatus() {
        try (Dialect dialect = new Dialect()) {
            dialect.playing(Dialect.accepted(), Dialect.text("x"), Dialect.finished());
            dialect.cluster.answering(operation -> List.of());
            for (Map.Entry<String, String> entry : GOOD.entrySet()) {
                Json good = Json.parse(entry.getValue());
                for (int i = 0; i < ROUNDS; i++) {
                    String body = malformed.of(good);
                    FakeExchange exchange = dialect.post(entry.getKey(), body);
                    assertTrue(List.of(200, 400, 404, 422).contains(exchange.status()), body);
                }
            }
        }
    }
}
