package skulk.http.claude;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
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
    private static final String GOOD =
            "{\"model\":\"m\",\"max_tokens\":5,\"system\":[{\"type\":\"text\",\"text\":\"s\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},"
                    + "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\"},{\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"f\",\"input\":{}}]},"
                    + "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"1\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"is_error\":false}]}],"
                    + "\"tools\":[{\"name\":\"f\",\"input_schema\":{}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"},\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5},"
                    + "\"stop_sequences\":[\"a\"],\"metadata\":{\"user_id\":\"u\"},\"output_config\":{\"effort\":\"low\",\"format\":{\"type\":\"json_schema\",\"schema\":{}}},\"temperature\":1,\"mcp_servers\":[]}";

    private final MalformedJson malformed = new MalformedJson(JUNK);

    @Test
    void neverAnythingButAnIntendedStatus() {
        try (Dialect dialect = new Dialect("{}")) {
            dialect.playing(Dialect.accepted(), Dialect.text("x"), Dialect.finished());
            Json good = Json.parse(GOOD);
            for (int i = 0; i < ROUNDS; i++) {
                String body = malformed.of(good);
                FakeExchange exchange = dialect.post(Dialect.MESSAGES, body);
                assertTrue(List.of(200, 400, 404, 422).contains(exchange.status()), body);
            }
        }
    }
}
