package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.http.openai.Dialect.accepted;
import static skulk.http.openai.Dialect.failed;
import static skulk.http.openai.Dialect.finished;
import static skulk.http.openai.Dialect.text;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.fake.FakeExchange;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem.Kind;

class CompletionTest {
    private static final String ROUTE = "/v1/completions";

    private final Dialect dialect = new Dialect();

    @AfterEach
    void stop() {
        dialect.close();
    }

    private List<JsonObject> choices(String body) {
        return dialect.post(ROUTE, body).jsonResponse().array("choices").orElseThrow().items().stream()
                .map(JsonObject.class::cast)
                .toList();
    }

    @Test
    void continuesATextAndEchoesIt() {
        dialect.playing(accepted(), text(" world"), finished());
        JsonObject choice = choices("{\"model\":\"m\",\"prompt\":\"Hello\",\"echo\":true,\"max_tokens\":4}")
                .getFirst();
        assertEquals(
                "{\"text\":\"Hello world\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}",
                choice.toString());
        GenerationRequest request = dialect.inference.requests().getFirst();
        assertEquals(new Prompt.Text("Hello"), request.prompt());
        assertEquals(4, request.maxTokens().orElseThrow());
    }

    @Test
    void takesPromptsInAllFourForms() {
        dialect.playing(accepted(), text("x"), finished());
        assertEquals(
                4, choices("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"n\":2}").size());
        assertEquals(
                List.of(new Prompt.Text("a"), new Prompt.Text("a"), new Prompt.Text("b"), new Prompt.Text("b")),
                dialect.inference.requests().stream()
                        .map(GenerationRequest::prompt)
                        .toList());
        choices("{\"model\":\"m\",\"prompt\":[1,2]}");
        assertEquals(
                new Prompt.Tokens(List.of(1, 2)),
                dialect.inference.requests().getLast().prompt());
        choices("{\"model\":\"m\",\"prompt\":[[1],[2]]}");
        assertEquals(
                new Prompt.Tokens(List.of(2)),
                dialect.inference.requests().getLast().prompt());
        assertEquals(16, dialect.inference.requests().getLast().maxTokens().orElseThrow());
    }

    @Test
    void logprobsAreParallelLists() {
        TokenLogprob token = new TokenLogprob(
                "x", -0.5, List.of(120), List.of(new TokenLogprob("y", -1.0, List.of(121), List.of())));
        dialect.playing(accepted(), new Text(Channel.CONTENT, "x", List.of(token)), finished());
        assertEquals(
                "{\"tokens\":[\"x\"],\"token_logprobs\":[-0.5],\"top_logprobs\":[{\"y\":-1.0}],\"text_offset\":[0]}",
                choices("{\"model\":\"m\",\"prompt\":\"a\",\"logprobs\":1}")
                        .getFirst()
                        .find("logprobs")
                        .orElseThrow()
                        .toString());
    }

    @Test
    void streams() {
        dialect.playing(accepted(), text("b"), finished());
        List<String> frames = dialect.stream(ROUTE, "{\"model\":\"m\",\"prompt\":\"a\",\"echo\":true,\"stream\":true}");
        String head = "data: {\"id\":\"ID\",\"object\":\"text_completion\",\"created\":0,\"model\":\"m\",\"choices\":[";
        assertEquals(": command_id ID", frames.get(1));
        assertEquals(
                head
                        + "{\"text\":\"a\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"service_tier\":null}",
                frames.get(2));
        assertTrue(frames.get(3).startsWith(head + "{\"text\":\"b\""));
        assertTrue(frames.get(4).contains("\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5"));
        assertTrue(frames.get(5).startsWith(": generation_stats "));
        assertEquals("data: [DONE]", frames.get(6));
    }

    @Test
    void failsLikeAChat() {
        dialect.playing(accepted(), text("b"), failed(Kind.INTERNAL, "", "broken"));
        assertEquals(
                500, dialect.post(ROUTE, "{\"model\":\"m\",\"prompt\":\"a\"}").status());
        List<String> frames = dialect.stream(ROUTE, "{\"model\":\"m\",\"prompt\":\"a\",\"stream\":true}");
        assertTrue(frames.get(frames.size() - 2).contains("\"InternalServerError\""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"prompt\":\"a\",\"suffix\":\"b\"|400",
                "\"prompt\":\"a\",\"best_of\":2|400",
                "\"prompt\":\"a\",\"echo\":true,\"logprobs\":1|400",
                "\"prompt\":[1],\"echo\":true|400",
                "\"prompt\":\"\"|400",
                "\"prompt\":[]|400",
                "\"prompt\":[\"a\",\"b\"],\"n\":9|400",
                "\"prompt\":\"a\",\"max_tokens\":0|400",
                "\"prompt\":5|422",
                "\"prompt\":[\"a\",1]|422",
                "\"prompt\":[1,\"a\"]|422",
                "\"prompt\":[-1]|422",
                "\"prompt\":\"a\",\"logprobs\":true|422",
                "\"prompt\":\"a\",\"logprobs\":6|422",
                "\"prompt\":\"a\",\"messages\":[]|422",
                "\"n\":1|422"
            })
    void refusals(String fields, int status) {
        FakeExchange exchange = dialect.post(ROUTE, "{\"model\":\"m\"," + fields + "}");
        assertEquals(status, exchange.status(), exchange.text());
        assertEquals(List.of(), dialect.inference.requests());
    }
}
