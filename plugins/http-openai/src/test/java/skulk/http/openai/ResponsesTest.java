package skulk.http.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.http.openai.Dialect.accepted;
import static skulk.http.openai.Dialect.arguments;
import static skulk.http.openai.Dialect.call;
import static skulk.http.openai.Dialect.failed;
import static skulk.http.openai.Dialect.finished;
import static skulk.http.openai.Dialect.text;
import static skulk.http.openai.Dialect.thought;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.fake.FakeExchange;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem.Kind;

class ResponsesTest {
    private static final String ROUTE = "/v1/responses";

    private final Dialect dialect = new Dialect("{\"responses_kept\":2}");

    @AfterEach
    void stop() {
        dialect.close();
    }

    private List<JsonObject> events(String body) {
        return dialect.stream(ROUTE, body).stream()
                .filter(frame -> !frame.startsWith(":"))
                .map(frame -> {
                    String[] lines = frame.split("\n");
                    JsonObject data = (JsonObject) Json.parse(lines[1].substring("data: ".length()));
                    assertEquals("event: " + data.string("type").orElseThrow(), lines[0]);
                    return data;
                })
                .toList();
    }

    private static List<String> types(List<JsonObject> events) {
        return events.stream().map(e -> e.string("type").orElseThrow()).toList();
    }

    private Conversation asked() {
        return (Conversation) dialect.inference.requests().getLast().prompt();
    }

    @Test
    void theEventSequenceOfReasoningTextAndACall() {
        dialect.playing(
                accepted(),
                thought("h"),
                thought("m"),
                text("Hi"),
                call(0, "call_7", "add"),
                arguments(0, "{\"a\":"),
                arguments(0, "1}"),
                finished());
        List<JsonObject> events = events("{\"model\":\"m\",\"input\":\"hi\",\"stream\":true}");
        assertEquals(
                List.of(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.reasoning_summary_part.added",
                        "response.reasoning_summary_text.delta",
                        "response.reasoning_summary_text.delta",
                        "response.reasoning_summary_text.done",
                        "response.reasoning_summary_part.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed"),
                types(events));
        for (int i = 0; i < events.size(); i++) {
            assertEquals(Optional.of(i + 1L), events.get(i).integer("sequence_number"));
        }
        assertEquals(
                "{\"type\":\"reasoning\",\"id\":\"rs_ID\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"hm\"}],\"status\":\"completed\"}",
                events.get(8).find("item").orElseThrow().toString());
        assertEquals(
                "{\"type\":\"message\",\"id\":\"item_ID\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\","
                        + "\"annotations\":[],\"logprobs\":[]}],\"status\":\"completed\"}",
                events.get(14).find("item").orElseThrow().toString());
        assertEquals(
                "{\"type\":\"function_call\",\"id\":\"fc_7\",\"call_id\":\"call_7\",\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\",\"status\":\"completed\"}",
                events.get(19).find("item").orElseThrow().toString());
        assertEquals(
                "{\"type\":\"response.output_text.delta\",\"sequence_number\":12,\"item_id\":\"item_ID\",\"output_index\":1,"
                        + "\"content_index\":0,\"delta\":\"Hi\",\"logprobs\":[]}",
                events.get(11).toString());
        JsonObject last = events.getLast().object("response").orElseThrow();
        assertEquals(Optional.of("completed"), last.string("status"));
        assertEquals(Optional.of("Hi"), last.string("output_text"));
        assertEquals(3, last.array("output").orElseThrow().size());
        assertEquals(
                "{\"input_tokens\":5,\"input_tokens_details\":{\"cached_tokens\":2},\"output_tokens\":3,"
                        + "\"output_tokens_details\":{\"reasoning_tokens\":1},\"total_tokens\":8}",
                last.find("usage").orElseThrow().toString());
        assertEquals(
                Json.NULL,
                events.getFirst().object("response").orElseThrow().members().get("usage"));
    }

    @Test
    void wholeAndStreamedResponsesAreAlike() {
        dialect.playing(accepted(), thought("hm"), text("Hi"), call(0, "c", "f"), arguments(0, "{}"), finished());
        JsonObject whole =
                dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"hi\"}").jsonResponse();
        List<JsonObject> events = events("{\"model\":\"m\",\"input\":\"hi\",\"stream\":true}");
        JsonObject streamed = events.getLast().object("response").orElseThrow();
        assertEquals(whole.members().keySet(), streamed.members().keySet());
        String command = dialect.inference.requests().getFirst().commandId().value();
        String second = dialect.inference.requests().getLast().commandId().value();
        assertEquals(
                whole.find("output").orElseThrow().toString().replace(command, "ID"),
                streamed.find("output").orElseThrow().toString().replace(second, "ID"));
        assertEquals(Optional.of("resp_" + command), whole.string("id"));
    }

    @Test
    void nothingSaidIsAnEmptyMessage() {
        dialect.playing(accepted(), finished());
        List<JsonObject> events = events("{\"model\":\"m\",\"input\":\"hi\",\"stream\":true}");
        assertEquals(
                List.of("response.output_item.added", "response.content_part.added", "response.output_text.done"),
                types(events).subList(2, 5));
    }

    @Test
    void theTokenLimitShowsInTheStatus() {
        dialect.playing(accepted(), text("Hi"), finished(FinishReason.LENGTH));
        JsonObject whole = dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"hi\",\"max_output_tokens\":3}")
                .jsonResponse();
        assertEquals(Optional.of("incomplete"), whole.string("status"));
        assertEquals(
                "{\"reason\":\"max_output_tokens\"}",
                whole.find("incomplete_details").orElseThrow().toString());
    }

    @Test
    void aFailureInTheMiddleIsAnErrorEvent() {
        dialect.playing(accepted(), text("Hi"), failed(Kind.INTERNAL, "instance_lost", "lost"));
        JsonObject error =
                events("{\"model\":\"m\",\"input\":\"hi\",\"stream\":true}").getLast();
        assertEquals(Optional.of("error"), error.string("type"));
        assertEquals(Optional.of("instance_lost"), error.string("code"));
        assertEquals(
                "{\"message\":\"lost\",\"type\":\"InternalServerError\",\"param\":null,\"code\":500}",
                error.find("error").orElseThrow().toString());
        assertEquals(
                500, dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"hi\"}").status());
    }

    @Test
    void aConversationGoesOnById() {
        dialect.playing(accepted(), thought("hm"), text("Hi"), finished());
        String id = dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"one\",\"instructions\":\"be kind\"}")
                .jsonResponse()
                .string("id")
                .orElseThrow();
        assertEquals(
                List.of("system", "user"),
                asked().messages().stream().map(Message::role).toList());
        dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"two\",\"previous_response_id\":\"" + id + "\"}");
        assertEquals(
                List.of("user", "assistant", "user"),
                asked().messages().stream().map(Message::role).toList());
        assertEquals(Optional.of("Hi"), asked().messages().get(1).content());
        assertEquals(Optional.of("hm"), asked().messages().get(1).reasoning());
    }

    @Test
    void whatIsKeptIsBoundedAndCanBeReadAndDeleted() {
        dialect.playing(accepted(), text("Hi"), finished());
        List<String> ids = java.util.stream.Stream.of("one", "two", "three")
                .map(input -> dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"%s\"}".formatted(input))
                        .jsonResponse()
                        .string("id")
                        .orElseThrow())
                .toList();
        assertEquals(404, continued(ids.get(0)));
        assertEquals(200, get(ids.get(2)).status());
        assertEquals(ids.get(2), get(ids.get(2)).jsonResponse().string("id").orElseThrow());
        assertEquals(200, delete(ids.get(2)).status());
        assertEquals(404, delete(ids.get(2)).status());
        assertEquals(404, get(ids.get(2)).status());
        String unkept = dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"x\",\"store\":false}")
                .jsonResponse()
                .string("id")
                .orElseThrow();
        assertEquals(404, get(unkept).status());
    }

    @Test
    void aConversationIsItsOwnersAlone() {
        ResponseStore store = new ResponseStore(2, Dialect.millis(60_000));
        store.put("a", "me", new ResponseStore.Conversation(JsonObject.EMPTY, List.of()));
        assertTrue(store.get("a", "me").isPresent());
        assertTrue(store.get("a", "you").isEmpty());
        ResponseStore brief = new ResponseStore(2, Dialect.millis(0));
        brief.put("a", "me", new ResponseStore.Conversation(JsonObject.EMPTY, List.of()));
        assertTrue(brief.get("a", "me").isEmpty());
    }

    private int continued(String id) {
        return dialect.post(ROUTE, "{\"model\":\"m\",\"input\":\"x\",\"previous_response_id\":\"%s\"}".formatted(id))
                .status();
    }

    private FakeExchange get(String id) {
        return new FakeExchange().pathParameter("id", id).run(dialect.feature, "GET", "/v1/responses/{id}");
    }

    private FakeExchange delete(String id) {
        return new FakeExchange().pathParameter("id", id).run(dialect.feature, "DELETE", "/v1/responses/{id}");
    }

    @Test
    void itemsBecomeMessages() {
        dialect.playing(accepted(), text("Hi"), finished());
        dialect.post(
                ROUTE,
                "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]},"
                        + "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"r\"}],\"encrypted_content\":null},"
                        + "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{}\",\"status\":\"completed\"},"
                        + "{\"type\":\"function_call\",\"call_id\":\"call_2\",\"name\":\"g\",\"arguments\":\"{}\"},"
                        + "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"1\"},"
                        + "{\"type\":\"message\",\"id\":\"item_1\",\"role\":\"assistant\",\"status\":\"completed\","
                        + "\"content\":[{\"type\":\"output_text\",\"text\":\"b\",\"annotations\":[],\"logprobs\":[]}]}]}");
        List<Message> messages = asked().messages();
        assertEquals(
                List.of("user", "assistant", "tool", "assistant"),
                messages.stream().map(Message::role).toList());
        assertEquals(Optional.of("r"), messages.get(1).reasoning());
        assertEquals(
                List.of("call_1", "call_2"),
                messages.get(1).toolCalls().stream().map(Message.ToolCall::id).toList());
        assertEquals(Optional.of("call_1"), messages.get(2).toolCallId());
        assertEquals(Optional.of("b"), messages.get(3).content());
    }

    @Test
    void fieldsArriveAndComeBack() {
        dialect.playing(accepted(), text("{}"), finished());
        JsonObject whole = dialect.post(
                        ROUTE,
                        "{\"model\":\"m\",\"input\":\"x\",\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3,\"seed\":1,\"stop\":\"z\","
                                + "\"max_output_tokens\":9,\"metadata\":{\"a\":\"b\"},\"reasoning\":{\"effort\":\"high\",\"summary\":\"auto\"},"
                                + "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{},\"strict\":true}],\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},"
                                + "\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{},\"strict\":true}},"
                                + "\"include\":[\"message.output_text.logprobs\",\"reasoning.encrypted_content\"],\"top_logprobs\":2}")
                .jsonResponse();
        GenerationRequest request = dialect.inference.requests().getFirst();
        assertEquals(Optional.of(9), request.maxTokens());
        assertEquals(Optional.of("high"), request.reasoning().effort());
        assertEquals(Optional.of(2), request.logprobs());
        assertEquals(new OutputShape.JsonSchema("n", JsonObject.EMPTY, true), request.output());
        assertEquals(new GenerationRequest.ToolChoice.Named("f"), asked().choice());
        assertEquals(List.of("z"), request.stop());
        assertEquals(
                "{\"effort\":\"high\",\"summary\":\"auto\"}",
                whole.find("reasoning").orElseThrow().toString());
        assertEquals("{\"a\":\"b\"}", whole.find("metadata").orElseThrow().toString());
    }

    @Test
    void templateMessagesReplaceTheInput() {
        dialect.playing(accepted(), text("x"), finished());
        dialect.post(
                ROUTE,
                "{\"model\":\"m\",\"input\":\"ignored\",\"chat_template_messages\":[{\"role\":\"user\",\"content\":\"t\"}],\"enable_thinking\":false}");
        assertEquals(Optional.of("t"), asked().messages().getFirst().content());
        assertEquals(
                Optional.of(false),
                dialect.inference.requests().getFirst().reasoning().enabled());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"input\":\"\"|400",
                "\"input\":[]|400",
                "\"input\":\"x\",\"background\":true|400",
                "\"input\":\"x\",\"truncation\":\"auto\"|400",
                "\"input\":\"x\",\"conversation\":\"c\"|400",
                "\"input\":\"x\",\"prompt\":{\"id\":\"p\"}|400",
                "\"input\":\"x\",\"max_tool_calls\":0|422",
                "\"input\":\"x\",\"max_output_tokens\":0|400",
                "\"input\":\"x\",\"include\":[\"file_search_call.results\"]|400",
                "\"input\":\"x\",\"tools\":[{\"type\":\"web_search\",\"x\":1}]|400",
                "\"input\":\"x\",\"text\":{\"verbosity\":\"low\"}|400",
                "\"input\":[{\"type\":\"item_reference\",\"id\":\"i\"}]|400",
                "\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"u\"}]}]|400",
                "\"input\":\"x\",\"previous_response_id\":\"resp_nope\"|404",
                "\"stream\":true|422",
                "\"input\":5|422",
                "\"input\":\"x\",\"max_tokens\":5|422",
                "\"input\":\"x\",\"reasoning\":{\"effort\":\"ultra\"}|422",
                "\"input\":[{\"type\":\"function_call\",\"name\":\"f\"}]|422"
            })
    void refusals(String fields, int status) {
        FakeExchange exchange = dialect.post(ROUTE, "{\"model\":\"m\"," + fields + "}");
        assertEquals(status, exchange.status(), exchange.text());
        assertEquals(List.of(), dialect.inference.requests());
    }
}
