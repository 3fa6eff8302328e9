package skulk.http.claude;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.http.Response;
import skulk.api.problem.Problem;

class ClaudePluginTest {
    @Test
    void startsOffersItsRoutesAndStopsTwice() {
        ClaudePlugin plugin = new ClaudePlugin();
        HttpFeature feature = (HttpFeature) plugin.start(FakeContext.create()).getFirst();
        assertEquals("claude", feature.name());
        assertEquals(
                List.of("/v1/messages", "/v1/messages/count_tokens"),
                feature.routes().stream().map(r -> r.path()).toList());
        plugin.stop();
        plugin.stop();
    }

    @Test
    void stopsWithoutAStart() {
        new ClaudePlugin().stop();
    }

    @Test
    void isNamedInItsDescriptor() {
        assertTrue(ClaudePlugin.class.getModule().getDescriptor().provides().stream()
                .anyMatch(p -> p.providers().contains(ClaudePlugin.class.getName())));
    }

    @ParameterizedTest
    @CsvSource({
        "USER_ERROR,400,invalid_request_error",
        "UNAUTHENTICATED,401,authentication_error",
        "FORBIDDEN,403,permission_error",
        "NOT_FOUND,404,not_found_error",
        "TIMEOUT,408,timeout_error",
        "CONFLICT,409,invalid_request_error",
        "TOO_LARGE,413,request_too_large",
        "OVERLOADED,429,rate_limit_error",
        "INTERNAL,500,api_error",
        "NOT_READY,503,overloaded_error",
        "OUT_OF_RESOURCES,507,api_error"
    })
    void everyKindOfProblemHasItsWord(Problem.Kind kind, int status, String type) {
        try (Dialect dialect = new Dialect("{}")) {
            Response response = dialect.feature.error(Problem.of(kind, "why").retryAfter(Duration.ofSeconds(3)));
            assertEquals(status, response.status());
            assertEquals(
                    "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"why\",\"param\":null,\"code\":%d}}"
                            .formatted(type, status),
                    new String(response.body()));
            assertEquals("3", response.headers().get("Retry-After"));
        }
    }
}
