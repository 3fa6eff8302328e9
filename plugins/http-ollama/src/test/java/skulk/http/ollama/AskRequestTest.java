package skulk.http.ollama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class AskRequestTest {

    private static AskRequest chat(String more) {
        return AskRequest.readChat(
                Json.parse("{\"model\":\"m:latest\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
                        + (more.isEmpty() ? "" : "," + more) + "}"),
                "me");
    }

    private static AskRequest messages(String messages) {
        return AskRequest.readChat(Json.parse("{\"model\":\"m\",\"messages\":" + messages + "}"), "me");
    }

    private static AskRequest generate(String fields) {
        return AskRequest.readGenerate(Json.parse("{\"model\":\"m\"," + fields + "}"), "me");
    }

    private static Problem problem(Runnable action) {
        return assertThrows(SkulkException.class, action::run).problem();
    }

    @Test
    void optionsArrive() {
        GenerationRequest request =
                chat("\"options\":{\"num_predict\":9,\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3,\"min_p\":0.1,\"stop\":[\"a\"],\"seed\":4,"
                                + "\"repeat_penalty\":1.1,\"repeat_last_n\":-1,\"presence_penalty\":0.1,\"frequency_penalty\":0.2,"
                                + "\"num_gpu\":1,\"num_thread\":8,\"mirostat\":0,\"typical_p\":1.0}")
                        .generation();
        assertEquals("m", request.model().value());
        assertEquals(Optional.of(9), request.maxTokens());
        assertEquals(Optional.of(0.5), request.sampling().temperature());
        assertEquals(Optional.of(3), request.sampling().topK());
        assertEquals(Optional.of(4L), request.sampling().seed());
        assertEquals(Optional.of(1.1), request.sampling().repetitionPenalty());
        assertEquals(Optional.of(Integer.MAX_VALUE), request.sampling().repetitionContextSize());
        assertEquals(List.of("a"), request.stop());
        assertEquals(
                Optional.empty(),
                chat("\"options\":{\"num_predict\":-1}").generation().maxTokens());
        assertTrue(chat("").stream());
        assertFalse(chat("\"stream\":false").stream());
    }

    @Test
    void thinkIsASwitchOrAnEffort() {
        assertEquals(ReasoningWish.NONE, chat("").generation().reasoning());
        assertEquals(
                Optional.of(false),
                chat("\"think\":false").generation().reasoning().enabled());
        assertEquals(
                new ReasoningWish(Optional.of(true), Optional.of("high"), Optional.empty()),
                chat("\"think\":\"high\"").generation().reasoning());
    }

    @Test
    void formatIsJsonOrASchema() {
        assertEquals(
                new OutputShape.AnyJson(),
                chat("\"format\":\"json\"").generation().output());
        assertEquals(
                new OutputShape.JsonSchema("", JsonObject.of("type", "object"), true),
                chat("\"format\":{\"type\":\"object\"}").generation().output());
        assertEquals(
                new OutputShape.FreeText(), chat("\"format\":\"\"").generation().output());
    }

    @Test
    void messagesAndTools() {
        Prompt.Conversation read = (Prompt.Conversation) AskRequest.readChat(
                        Json.parse(
                                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"images\":[]},"
                                        + "{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"t\",\"tool_calls\":[{\"id\":\"1\",\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"x\":1}}}]},"
                                        + "{\"role\":\"tool\",\"content\":\"42\",\"tool_name\":\"f\",\"tool_call_id\":\"1\"}],"
                                        + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{}}}]}"),
                        "me")
                .generation()
                .prompt();
        assertEquals(
                List.of(new Message.ToolCall("1", "f", JsonObject.of("x", 1))),
                read.messages().get(1).toolCalls());
        assertEquals(Optional.of("t"), read.messages().get(1).reasoning());
        assertEquals(Optional.of("f"), read.messages().get(2).name());
        assertEquals("f", read.tools().getFirst().name());
    }

    @Test
    void generatePrompts() {
        assertEquals(
                List.of(Message.of("system", "s"), Message.of("user", "p")),
                ((Prompt.Conversation) generate("\"prompt\":\"p\",\"system\":\"s\"")
                                .generation()
                                .prompt())
                        .messages());
        assertEquals(
                new Prompt.Text("p"),
                generate("\"prompt\":\"p\",\"raw\":true,\"context\":[],\"suffix\":\"\"")
                        .generation()
                        .prompt());
        assertTrue(generate("\"prompt\":\"\"").empty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"options\":{\"mirostat\":1}",
                "\"options\":{\"tfs_z\":0.5}",
                "\"options\":{\"typical_p\":0.5}",
                "\"options\":{\"num_predict\":0}",
                "\"options\":{\"vocab_only\":true}",
                "\"options\":{\"logits_all\":true}",
                "\"options\":{\"embedding_only\":true}",
                "\"options\":{\"penalize_newline\":false}",
                "\"keep_alive\":0",
                "\"keep_alive\":\"0s\"",
                "\"truncate\":true",
                "\"shift\":true",
                "\"top_logprobs\":2"
            })
    void whatIsNotServedIsRefusedByName(String field) {
        refusedByName(field, problem(() -> chat(field)));
    }

    /** The message has the name of the last field. */
    private static void refusedByName(String fields, Problem problem) {
        assertEquals(Problem.Kind.USER_ERROR, problem.kind(), problem.message());
        String name = fields.replaceAll(".*\"(\\w+)\":.*", "$1");
        assertTrue(problem.message().contains(name), name + " is not in: " + problem.message());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"prompt\":\"p\",\"suffix\":\"s\"",
                "\"prompt\":\"p\",\"template\":\"t\"",
                "\"prompt\":\"p\",\"context\":[1,2]",
                "\"prompt\":\"p\",\"width\":512",
                "\"prompt\":\"p\",\"height\":512",
                "\"prompt\":\"p\",\"steps\":4",
                "\"prompt\":\"p\",\"images\":[\"aaaa\"]",
                "\"prompt\":\"p\",\"raw\":true,\"system\":\"s\""
            })
    void generateRefusesByName(String fields) {
        refusedByName(fields, problem(() -> generate(fields)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "options|5|model_type",
                "options|{\"temperature\":\"hot\"}|float_type",
                "options|{\"temperature\":3}|out_of_range",
                "options|{\"top_k\":-1}|out_of_range",
                "options|{\"seed\":\"x\"}|int_type",
                "options|{\"stop\":[\"\"]}|value_error",
                "options|{\"stop\":5}|list_type",
                "options|{\"num_predict\":-3}|out_of_range",
                "options|{\"num_ctx\":0}|out_of_range",
                "options|{\"surprise\":1}|extra_forbidden",
                "stream|1|bool_type",
                "think|\"ultra\"|enum",
                "think|5|string_type",
                "format|\"xml\"|value_error",
                "keep_alive|[]|value_error",
                "tools|{}|list_type",
                "tools|[{\"type\":\"function\"}]|missing",
                "logprobs|1|bool_type",
                "surprise|1|extra_forbidden"
            })
    void wrongShapesAreNamed(String name, String value, String type) {
        Problem problem = problem(() -> chat("\"%s\":%s".formatted(name, value)));
        assertEquals(Problem.Kind.INVALID, problem.kind(), problem.message());
        assertEquals(type, problem.violations().getFirst().type());
        assertTrue(problem.violations().getFirst().location().contains(name));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5|INVALID",
                "[{}]|INVALID",
                "[{\"role\":\"king\",\"content\":\"x\"}]|INVALID",
                "[{\"role\":\"user\",\"content\":[]}]|INVALID",
                "[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"aa\"]}]|USER_ERROR",
                "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]|INVALID"
            })
    void wrongMessages(String messages, Problem.Kind kind) {
        assertEquals(kind, problem(() -> messages(messages)).kind());
    }
}
