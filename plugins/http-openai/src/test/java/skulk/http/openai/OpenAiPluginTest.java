package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeSettings;
import skulk.api.http.Response;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

class OpenAiPluginTest {
    @Test
    void startsOffersItsRoutesAndStopsTwice() {
        OpenAiPlugin plugin = new OpenAiPlugin();
        FakeContext context = FakeContext.create();
        HttpFeature feature = (HttpFeature) plugin.start(context).getFirst();
        assertEquals("openai", feature.name());
        assertEquals(
                feature.routes().size(),
                feature.routes().stream()
                        .map(r -> r.method() + r.path())
                        .collect(Collectors.toSet())
                        .size());
        assertTrue(((FakeSettings) context.settings()).declared().contains("keep_alive_seconds"));
        plugin.stop();
        plugin.stop();
    }

    @Test
    void stopsWithoutAStart() {
        new OpenAiPlugin().stop();
    }

    @Test
    void isFoundByItsDescriptor() {
        assertTrue(OpenAiPlugin.class.getModule().getDescriptor().provides().stream()
                .anyMatch(p -> p.providers().contains(OpenAiPlugin.class.getName())));
    }

    @Test
    void rendersRefusalsThatComeBeforeTheRoute() {
        try (Dialect dialect = new Dialect()) {
            Response response = dialect.error(Problem.of(Problem.Kind.UNAUTHENTICATED, "No API key"));
            assertEquals(401, response.status());
            assertEquals(
                    "{\"error\":{\"message\":\"No API key\",\"type\":\"Unauthorized\",\"param\":null,\"code\":401}}",
                    new String(response.body()));
            Response busy = dialect.error(
                    Problem.of(Problem.Kind.OVERLOADED, "Too many").retryAfter(Dialect.millis(2000)));
            assertEquals("2", busy.headers().get("Retry-After"));
        }
    }

    @Test
    void namesEveryWrongFieldInBothShapes() {
        try (Dialect dialect = new Dialect()) {
            JsonObject body = dialect.post("/v1/chat/completions", "{\"model\":1,\"surprise\":true}")
                    .jsonResponse();
            assertEquals(3, body.array("detail").orElseThrow().size());
            String message =
                    body.object("error").orElseThrow().string("message").orElseThrow();
            for (String field : List.of("body.model", "body.messages", "body.surprise")) {
                assertTrue(message.contains(field), message);
            }
            assertEquals(
                    Optional.of("JSON decode error: expected a member name at position 1"),
                    dialect.post("/v1/chat/completions", "{")
                            .jsonResponse()
                            .object("error")
                            .orElseThrow()
                            .string("message"));
            assertEquals(
                    Json.of(422),
                    body.object("error").orElseThrow().find("code").orElseThrow());
        }
    }
}
