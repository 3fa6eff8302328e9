package skulk.http.claude;

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
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class MessagesRequestTest {
    private static final String TOOL =
            "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"}}]";

    private static GenerationRequest read(String more) {
        return MessagesRequest.read(
                        Json.parse(
                                "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
                                        + (more.isEmpty() ? "" : "," + more) + "}"),
                        "me")
                .generation();
    }

    private static List<Message> messages(String messages) {
        return ((Conversation) MessagesRequest.read(
                                Json.parse("{\"model\":\"m\",\"max_tokens\":9,\"messages\":" + messages + "}"), "me")
                        .generation()
                        .prompt())
                .messages();
    }

    private static Conversation conversation(GenerationRequest request) {
        return (Conversation) request.prompt();
    }

    private static Problem problem(Runnable action) {
        return assertThrows(SkulkException.class, action::run).problem();
    }

    @Test
    void fieldsArrive() {
        GenerationRequest request = read(
                "\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3,\"stop_sequences\":[\"a\"],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000},"
                        + "\"output_config\":{\"effort\":\"max\",\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}},"
                        + "\"metadata\":{\"user_id\":\"u\"},\"service_tier\":\"auto\",\"cache_control\":{\"type\":\"ephemeral\"},\"mcp_servers\":[]");
        assertEquals(Optional.of(0.5), request.sampling().temperature());
        assertEquals(Optional.of(0.9), request.sampling().topP());
        assertEquals(Optional.of(3), request.sampling().topK());
        assertEquals(Optional.of(9), request.maxTokens());
        assertEquals(List.of("a"), request.stop());
        assertEquals(
                new ReasoningWish(Optional.of(true), Optional.of("xhigh"), Optional.of(2000)), request.reasoning());
        assertEquals(new OutputShape.JsonSchema("", JsonObject.of("type", "object"), true), request.output());
        assertEquals("me", request.client());
    }

    @Test
    void thinkingIsTheModelsChoiceUnlessSaid() {
        assertEquals(ReasoningWish.NONE, read("").reasoning());
        assertEquals(
                Optional.of(false),
                read("\"thinking\":{\"type\":\"disabled\"}").reasoning().enabled());
        assertEquals(
                Optional.of(true),
                read("\"thinking\":{\"type\":\"adaptive\"}").reasoning().enabled());
    }

    private static long thoughtful(String edits) {
        String turns =
                "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"},"
                        + "{\"type\":\"text\",\"text\":\"b\"}]},";
        String body = "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[" + turns.repeat(3)
                + "{\"role\":\"user\",\"content\":\"c\"}],\"context_management\":{\"edits\":[" + edits + "]}}";
        return conversation(MessagesRequest.read(Json.parse(body), "me").generation()).messages().stream()
                .filter(message -> message.reasoning().isPresent())
                .count();
    }

    @Test
    void thinkingOfOlderTurnsIsClearedAsAsked() {
        assertEquals(3, thoughtful(""));
        assertEquals(3, thoughtful("{\"type\":\"clear_thinking_20251015\",\"keep\":\"all\"}"));
        assertEquals(
                2,
                thoughtful(
                        "{\"type\":\"clear_thinking_20251015\",\"keep\":{\"type\":\"thinking_turns\",\"value\":2}}"));
        assertEquals(1, thoughtful("{\"type\":\"clear_thinking_20251015\"}"));
        assertEquals(
                Problem.Kind.INVALID,
                problem(() -> thoughtful("{\"type\":\"clear_thinking_20251015\",\"keep\":5}"))
                        .kind());
    }

    @Test
    void systemBlocksAreJoinedWithoutTheServicesBookkeeping() {
        List<Message> read = conversation(
                        read(
                                "\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing: 1\\nbe kind\"},"
                                        + "{\"type\":\"text\",\"text\":\"be brief\",\"cache_control\":{\"type\":\"ephemeral\"}}]"))
                .messages();
        assertEquals(Message.of("system", "be kind\nbe brief"), read.getFirst());
        assertEquals(
                1, conversation(read("\"system\":\"x-anthropic-a\"")).messages().size());
        assertEquals(
                Message.of("system", "s"),
                conversation(read("\"system\":\"s\"")).messages().getFirst());
    }

    @Test
    void blocksBecomeMessages() {
        List<Message> read = messages(
                "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\",\"cache_control\":null}]},"
                        + "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"},{\"type\":\"text\",\"text\":\"c\"},"
                        + "{\"type\":\"redacted_thinking\",\"data\":\"zzz\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"x\":1}}]},"
                        + "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":[{\"type\":\"text\",\"text\":\"42\"}]},"
                        + "{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_2\",\"content\":\"no\",\"is_error\":true},{\"type\":\"text\",\"text\":\"go on\"}]}]");
        assertEquals(
                List.of("user", "assistant", "tool", "tool", "user"),
                read.stream().map(Message::role).toList());
        assertEquals(Optional.of("a\nb"), read.get(0).content());
        assertEquals(Optional.of("c"), read.get(1).content());
        assertEquals(Optional.of("t"), read.get(1).reasoning());
        assertEquals(
                List.of(new Message.ToolCall("toolu_1", "f", JsonObject.of("x", 1))),
                read.get(1).toolCalls());
        assertEquals(Optional.of("42"), read.get(2).content());
        assertEquals(Optional.of("toolu_1"), read.get(2).toolCallId());
        assertEquals(Optional.of("Error: no"), read.get(3).content());
        assertEquals(Optional.of("go on"), read.get(4).content());
    }

    @Test
    void toolsAndTheirChoice() {
        assertEquals(
                List.of(new GenerationRequest.Tool("f", "d", JsonObject.of("type", "object"), false)),
                conversation(read(TOOL)).tools());
        assertEquals(
                new ToolChoice.Required(),
                conversation(read(TOOL + ",\"tool_choice\":{\"type\":\"any\"}")).choice());
        Conversation named = conversation(
                read(TOOL + ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":true}"));
        assertEquals(new ToolChoice.Named("f"), named.choice());
        assertFalse(named.parallelToolCalls());
        assertEquals(
                new ToolChoice.None(),
                conversation(read("\"tool_choice\":{\"type\":\"none\"}")).choice());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"container\":\"c\"",
                "\"mcp_servers\":[{\"name\":\"x\"}]",
                "\"context_management\":{\"edits\":[{\"type\":\"clear_tool_uses_20250919\",\"keep\":{}}]}",
                "\"inference_geo\":\"us\"",
                "\"service_tier\":\"priority\"",
                "\"speed\":\"fast\"",
                "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":1}]",
                "\"tools\":[{\"name\":\"f\",\"input_schema\":{},\"defer_loading\":true}]",
                "\"tools\":[{\"name\":\"f\",\"input_schema\":{},\"input_examples\":[{}]}]",
                "\"tool_choice\":{\"type\":\"any\"}",
                "\"tool_choice\":{\"type\":\"tool\",\"name\":\"nope\"}"
            })
    void whatIsNotServedIsRefusedByName(String field) {
        Problem problem = problem(() -> read(field));
        assertEquals(Problem.Kind.USER_ERROR, problem.kind(), problem.message());
    }

    @ParameterizedTest
    @ValueSource(strings = {"image", "document", "server_tool_use", "search_result"})
    void otherBlocksAreRefusedByName(String type) {
        Problem problem = problem(
                () -> messages("[{\"role\":\"user\",\"content\":[{\"type\":\"%s\",\"source\":{\"type\":\"base64\"}}]}]"
                        .formatted(type)));
        assertEquals(Problem.Kind.USER_ERROR, problem.kind());
        assertTrue(problem.message().contains("'" + type + "'"));
        assertEquals(
                Problem.Kind.USER_ERROR,
                problem(() -> messages(
                                "[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"1\",\"content\":[{\"type\":\"%s\",\"x\":1}]}]}]"
                                        .formatted(type)))
                        .kind());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "temperature|\"hot\"|float_type",
                "temperature|3|out_of_range",
                "top_p|2|out_of_range",
                "top_k|-1|out_of_range",
                "stop_sequences|\"a\"|list_type",
                "stop_sequences|[\"\"]|string_too_short",
                "stop_sequences|[1]|list_type",
                "stream|1|bool_type",
                "system|5|list_type",
                "tools|{}|list_type",
                "tools|[{}]|missing",
                "tools|[{\"name\":\"f\",\"input_schema\":[]}]|dict_type",
                "tool_choice|\"auto\"|model_type",
                "tool_choice|{\"type\":\"maybe\"}|enum",
                "tool_choice|{\"type\":\"tool\"}|missing",
                "thinking|true|model_type",
                "thinking|{\"type\":\"on\"}|enum",
                "thinking|{\"type\":\"enabled\",\"budget_tokens\":0}|out_of_range",
                "output_config|{\"effort\":\"ultra\"}|enum",
                "output_config|{\"format\":{\"type\":\"xml\"}}|enum",
                "metadata|{\"x\":1}|extra_forbidden",
                "surprise|1|extra_forbidden",
                "seed|1|extra_forbidden"
            })
    void wrongShapesAreNamed(String name, String value, String type) {
        Problem problem = problem(() -> read("\"%s\":%s".formatted(name, value)));
        assertEquals(Problem.Kind.INVALID, problem.kind(), problem.message());
        assertEquals(type, problem.violations().getFirst().type());
        assertTrue(problem.violations().getFirst().location().contains(name));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":5}|INVALID",
                "{\"max_tokens\":5,\"messages\":[]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":5}]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"}]}]}|INVALID",
                "{\"model\":\"m\",\"max_tokens\":0,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}|USER_ERROR",
                "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[]}|USER_ERROR",
                "{\"model\":\"m\",\"max_tokens\":5,\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}|USER_ERROR",
                "{\"model\":\"../m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}|NOT_FOUND",
                "[]|INVALID"
            })
    void wrongBodies(String body, Problem.Kind kind) {
        Problem problem = problem(() -> MessagesRequest.read(Json.parse(body), "me"));
        assertEquals(kind, problem.kind(), problem.message());
    }
}
