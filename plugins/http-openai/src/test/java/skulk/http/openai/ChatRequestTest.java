package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
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
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class ChatRequestTest {
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    private static ChatRequest read(String more) {
        return ChatRequest.read(
                Json.parse("{\"model\":\"org/m\"," + MESSAGES + (more.isEmpty() ? "" : "," + more) + "}"), "me");
    }

    private static ChatRequest messages(String messages) {
        return ChatRequest.read(Json.parse("{\"model\":\"m\",\"messages\":" + messages + "}"), "me");
    }

    private static Problem problem(Runnable action) {
        return assertThrows(SkulkException.class, action::run).problem();
    }

    private static Conversation conversation(ChatRequest request) {
        return (Conversation) request.generation().prompt();
    }

    @Test
    void everySamplingFieldArrives() {
        GenerationRequest g =
                read("\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,\"min_p\":0.1,\"seed\":-7,\"stop\":[\"a\",\"b\"],"
                                + "\"frequency_penalty\":0.2,\"presence_penalty\":-0.2,\"repetition_penalty\":1.1,"
                                + "\"repetition_context_size\":64,\"logit_bias\":{\"5\":-100,\"6\":1.5},\"logprobs\":true,\"top_logprobs\":3,"
                                + "\"max_tokens\":12,\"user\":\"u\"")
                        .generation();
        assertEquals(Optional.of(0.5), g.sampling().temperature());
        assertEquals(Optional.of(0.9), g.sampling().topP());
        assertEquals(Optional.of(40), g.sampling().topK());
        assertEquals(Optional.of(0.1), g.sampling().minP());
        assertEquals(Optional.of(-7L), g.sampling().seed());
        assertEquals(Optional.of(0.2), g.sampling().frequencyPenalty());
        assertEquals(Optional.of(-0.2), g.sampling().presencePenalty());
        assertEquals(Optional.of(1.1), g.sampling().repetitionPenalty());
        assertEquals(Optional.of(64), g.sampling().repetitionContextSize());
        assertEquals(Map.of(5, -100.0, 6, 1.5), g.sampling().logitBias());
        assertEquals(List.of("a", "b"), g.stop());
        assertEquals(Optional.of(3), g.logprobs());
        assertEquals(Optional.of(12), g.maxTokens());
        assertEquals("me", g.client());
    }

    @Test
    void absentAndNullAreAlike() {
        ChatRequest absent = read("");
        ChatRequest nulls = read(
                "\"temperature\":null,\"stop\":null,\"tools\":null,\"logit_bias\":null,\"stream\":null,"
                        + "\"response_format\":null,\"reasoning_effort\":null,\"max_tokens\":null,\"n\":null,\"store\":null");
        assertEquals(absent.generation().sampling(), nulls.generation().sampling());
        assertEquals(conversation(absent), conversation(nulls));
        assertEquals(new OutputShape.FreeText(), nulls.generation().output());
        assertEquals(ReasoningWish.NONE, nulls.generation().reasoning());
        assertEquals(Optional.empty(), nulls.generation().maxTokens());
    }

    @Test
    void bothNamesOfTheTokenLimitWork() {
        assertEquals(
                Optional.of(5), read("\"max_completion_tokens\":5").generation().maxTokens());
        assertEquals(
                Problem.Kind.USER_ERROR,
                problem(() -> read("\"max_tokens\":4,\"max_completion_tokens\":5"))
                        .kind());
    }

    @Test
    void thinkingCanBeSwitchedAndWeighed() {
        assertEquals(
                new ReasoningWish(Optional.of(false), Optional.of("none"), Optional.empty()),
                read("\"reasoning_effort\":\"none\"").generation().reasoning());
        assertEquals(
                new ReasoningWish(Optional.empty(), Optional.of("xhigh"), Optional.empty()),
                read("\"reasoning_effort\":\"xhigh\"").generation().reasoning());
        assertEquals(
                Optional.of(true),
                read("\"enable_thinking\":true").generation().reasoning().enabled());
    }

    @Test
    void messagesOfEveryRoleAndForm() {
        List<Message> read = conversation(messages("[{\"role\":\"system\",\"content\":\"s\"},"
                        + "{\"role\":\"developer\",\"content\":{\"type\":\"text\",\"text\":\"d\"}},"
                        + "{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},"
                        + "{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"1\",\"index\":0,\"type\":\"function\","
                        + "\"function\":{\"id\":\"1\",\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}],\"tool_call_id\":null,\"function_call\":null,"
                        + "\"refusal\":null,\"annotations\":[],\"audio\":null},"
                        + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"42\"},"
                        + "{\"role\":\"assistant\",\"function_call\":{\"name\":\"g\",\"arguments\":\"not json\"}},"
                        + "{\"role\":\"function\",\"name\":\"g\",\"content\":\"ok\"}]"))
                .messages();
        assertEquals(Optional.of("d"), read.get(1).content());
        assertEquals(Optional.of("a\nb"), read.get(2).content());
        assertEquals(Optional.of("ann"), read.get(2).name());
        assertEquals(Optional.of("r"), read.get(3).reasoning());
        assertEquals(
                List.of(new Message.ToolCall("1", "f", JsonObject.of("x", 1))),
                read.get(3).toolCalls());
        assertEquals(Optional.of("1"), read.get(4).toolCallId());
        assertEquals(
                new JsonString("not json"), read.get(5).toolCalls().getFirst().arguments());
        assertEquals("function", read.get(6).role());
    }

    @ParameterizedTest
    @ValueSource(strings = {"image_url", "input_audio", "file", "video_url"})
    void partsOtherThanTextAreRefusedByName(String type) {
        Problem problem = problem(
                () -> messages("[{\"role\":\"user\",\"content\":[{\"type\":\"%s\",\"%s\":{\"url\":\"x\"},\"more\":1}]}]"
                        .formatted(type, type)));
        assertEquals(Problem.Kind.USER_ERROR, problem.kind());
        assertTrue(problem.message().contains("'" + type + "'"), problem.message());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "[{\"role\":\"user\",\"content\":\"\"}]",
                "[{\"role\":\"user\",\"content\":null}]",
                "[{\"role\":\"user\",\"content\":[]}]",
                "[{\"role\":\"user\",\"content\":\" \\n\"}]"
            })
    void nothingToAnswerIsRefused(String messages) {
        Problem problem = problem(() -> messages(messages));
        assertEquals(Problem.Kind.USER_ERROR, problem.kind());
        assertEquals(ChatRequest.NO_CONTENT, problem.message());
    }

    @Test
    void toolsAndTheirChoice() {
        String tools = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
                + "\"parameters\":{\"type\":\"object\"},\"strict\":true}}]";
        Conversation auto = conversation(read(tools));
        assertEquals(
                List.of(new GenerationRequest.Tool("f", "d", JsonObject.of("type", "object"), true)), auto.tools());
        assertEquals(new ToolChoice.Auto(), auto.choice());
        assertTrue(auto.parallelToolCalls());
        assertEquals(
                new ToolChoice.None(),
                conversation(read(tools + ",\"tool_choice\":\"none\"")).choice());
        assertEquals(
                new ToolChoice.Required(),
                conversation(read(tools + ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false"))
                        .choice());
        assertEquals(
                new ToolChoice.Named("f"),
                conversation(read(tools + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"))
                        .choice());
        Conversation legacy = conversation(read("\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"f\"}"));
        assertEquals(new ToolChoice.Named("f"), legacy.choice());
        assertEquals("f", legacy.tools().getFirst().name());
    }

    @Test
    void outputShapes() {
        assertEquals(
                new OutputShape.AnyJson(),
                read("\"response_format\":{\"type\":\"json_object\"}")
                        .generation()
                        .output());
        assertEquals(
                new OutputShape.JsonSchema("n", JsonObject.of("type", "object"), true),
                read("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"description\":\"d\","
                                + "\"schema\":{\"type\":\"object\"},\"strict\":true}}")
                        .generation()
                        .output());
        assertEquals(
                new OutputShape.Regex("[0-9]+"),
                read("\"response_format\":{\"type\":\"regex\",\"pattern\":\"[0-9]+\"}")
                        .generation()
                        .output());
    }

    @Test
    void templateVariablesPassThroughUnlessTheyAreTheRequests() {
        assertEquals(
                Map.of("date", new JsonString("today")),
                conversation(read("\"chat_template_kwargs\":{\"date\":\"today\"}"))
                        .templateArguments());
        assertEquals(
                Problem.Kind.USER_ERROR,
                problem(() -> read("\"chat_template_kwargs\":{\"messages\":[]}"))
                        .kind());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"user\":\"u\"",
                "\"safety_identifier\":\"s\"",
                "\"prompt_cache_key\":\"k\"",
                "\"metadata\":{\"a\":\"b\"}",
                "\"store\":false",
                "\"store\":true",
                "\"service_tier\":\"auto\"",
                "\"service_tier\":\"priority\"",
                "\"prediction\":{\"type\":\"content\",\"content\":\"x\"}",
                "\"prompt_cache_retention\":\"24h\"",
                "\"verbosity\":\"medium\"",
                "\"modalities\":[\"text\"]",
                "\"stream_options\":{\"include_usage\":true}",
                "\"stream_options\":{\"include_obfuscation\":false}",
                "\"prompt_cache_retention\":\"in_memory\""
            })
    void harmlessFieldsAreAccepted(String field) {
        read(field);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "verbosity|\"low\"",
                "modalities|[\"text\",\"audio\"]",
                "audio|{\"voice\":\"v\",\"format\":\"wav\"}",
                "web_search_options|{}",
                "top_logprobs|3",
                "tool_choice|\"required\"",
                "tool_choice|{\"type\":\"function\",\"function\":{\"name\":\"nope\"}}",
                "tool_choice|{\"type\":\"allowed_tools\",\"allowed_tools\":{}}",
                "response_format|{\"type\":\"grammar\",\"grammar\":\"x\"}",
                "max_tokens|0",
                "max_tokens|-3",
                "max_tokens|-99999999999"
            })
    void whatIsNotServedIsRefusedByName(String name, String value) {
        Problem problem = problem(() -> read("\"%s\":%s".formatted(name, value)));
        assertEquals(Problem.Kind.USER_ERROR, problem.kind(), problem.message());
        assertTrue(
                problem.message().contains(name) || problem.message().contains("response format"), problem.message());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "temperature|\"hot\"|float_type",
                "temperature|2.1|out_of_range",
                "temperature|-0.1|out_of_range",
                "top_p|1.01|out_of_range",
                "top_p|true|float_type",
                "top_k|-2|out_of_range",
                "top_k|1.5|int_type",
                "min_p|2|out_of_range",
                "seed|1.5|int_type",
                "seed|\"1\"|int_type",
                "stop|5|list_type",
                "stop|[\"a\",1]|list_type",
                "stop|[\"\"]|string_too_short",
                "frequency_penalty|3|out_of_range",
                "presence_penalty|-3|out_of_range",
                "repetition_penalty|0|out_of_range",
                "repetition_context_size|-1|out_of_range",
                "logit_bias|[]|dict_type",
                "logit_bias|{\"a\":1}|value_error",
                "logit_bias|{\"1\":101}|value_error",
                "logprobs|1|bool_type",
                "top_logprobs|21|out_of_range",
                "n|0|out_of_range",
                "n|17|out_of_range",
                "stream|\"yes\"|bool_type",
                "stream_options|true|model_type",
                "max_tokens|\"5\"|int_type",
                "max_tokens|1.5|int_type",
                "tools|{}|list_type",
                "tools|[1]|model_type",
                "tools|[{}]|missing",
                "tools|[{\"type\":\"function\"}]|missing",
                "tools|[{\"type\":\"function\",\"function\":{}}]|missing",
                "tools|[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}]|dict_type",
                "tool_choice|\"maybe\"|enum",
                "parallel_tool_calls|0|bool_type",
                "response_format|\"json\"|model_type",
                "response_format|{}|missing",
                "response_format|{\"type\":\"json_schema\"}|missing",
                "response_format|{\"type\":\"text\",\"x\":1}|extra_forbidden",
                "reasoning_effort|\"ultra\"|enum",
                "enable_thinking|\"no\"|bool_type",
                "user|5|string_type",
                "metadata|5|model_type",
                "chat_template_kwargs|5|dict_type",
                "surprise|1|extra_forbidden",
                "stream_options|{\"x\":1}|extra_forbidden"
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
                "5|list_type",
                "[5]|model_type",
                "[{}]|missing",
                "[{\"role\":\"king\",\"content\":\"x\"}]|enum",
                "[{\"role\":5,\"content\":\"x\"}]|string_type",
                "[{\"role\":\"user\",\"content\":5}]|string_type",
                "[{\"role\":\"user\",\"content\":[5]}]|model_type",
                "[{\"role\":\"user\",\"content\":[{\"text\":\"x\"}]}]|missing",
                "[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]|missing",
                "[{\"role\":\"user\",\"content\":\"x\",\"extra\":1}]|extra_forbidden",
                "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\"}]}]|missing",
                "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}}]}]|missing",
                "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]|string_type"
            })
    void wrongMessagesAreNamed(String messages, String type) {
        Problem problem = problem(() -> messages(messages));
        assertEquals(Problem.Kind.INVALID, problem.kind(), problem.message());
        assertEquals(type, problem.violations().getFirst().type());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nul", "[]", "5", "{\"model\":\"m\"", "{\"a\":1,\"a\":2}"})
    void whatIsNoObjectIsA422(String body) {
        try (Dialect dialect = new Dialect()) {
            assertEquals(422, dialect.post("/v1/chat/completions", body).status());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b/c", "../etc", "a b", "-x"})
    void aNameThatNoModelHasIsNotFound(String model) {
        Problem problem =
                problem(() -> ChatRequest.read(Json.parse("{\"model\":\"%s\",%s}".formatted(model, MESSAGES)), "me"));
        assertEquals(Problem.Kind.NOT_FOUND, problem.kind());
        assertEquals("No instance found for model " + model, problem.message());
    }
}
