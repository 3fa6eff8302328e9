package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** The embedded model under tool choices and schemas, in the dialects that have them: what the engine promises arrives at the wire. */
@ExtendWith(SharedNode.class)
class StructureIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String PARAMETERS =
            "{\"type\":\"object\",\"properties\":{\"location\":{\"type\":\"string\"}},\"required\":[\"location\"],\"additionalProperties\":false}";
    private static final String ASK = "{\"model\":\"skulk/tiny-chat-4bit\",\"temperature\":0,";
    private static final String BOSTON = "[{\"role\":\"user\",\"content\":\"What is the current weather in Boston?\"}]";
    private static final String HELLO = "[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}]";

    private static String chat(String messages, String choice) {
        return ASK + "\"max_tokens\":60,\"messages\":" + messages
                + ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":"
                + PARAMETERS
                + "}},{\"type\":\"function\",\"function\":{\"name\":\"get_time\",\"parameters\":" + PARAMETERS + "}}]"
                + choice
                + "}";
    }

    private static String responses(String messages, String choice) {
        return ASK + "\"max_output_tokens\":60,\"input\":" + messages
                + ",\"tools\":[{\"type\":\"function\",\"name\":\"get_weather\",\"strict\":true,\"parameters\":"
                + PARAMETERS
                + "},{\"type\":\"function\",\"name\":\"get_time\",\"strict\":true,\"parameters\":" + PARAMETERS + "}]"
                + choice + "}";
    }

    private static String messages(String messages, String choice) {
        return ASK + "\"max_tokens\":60,\"messages\":" + messages
                + ",\"tools\":[{\"name\":\"get_weather\",\"input_schema\":" + PARAMETERS
                + "},{\"name\":\"get_time\",\"input_schema\":" + PARAMETERS + "}]" + choice + "}";
    }

    /** Asked for the capital of France, the model calls nothing by itself; the named tool is not the one it would take. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "chat| | false",
                "chat|,'tool_choice':'none' | false",
                "chat|,'tool_choice':'required' | true",
                "chat|,'tool_choice':'required','parallel_tool_calls':false | true",
                "chat|,'tool_choice':{'type':'function','function':{'name':'get_time'}} | true",
                "responses|,'tool_choice':'none' | false",
                "responses|,'tool_choice':'required' | true",
                "responses|,'tool_choice':{'type':'function','name':'get_time'} | true",
                "messages|,'tool_choice':{'type':'none'} | false",
                "messages|,'tool_choice':{'type':'any'} | true",
                "messages|,'tool_choice':{'type':'tool','name':'get_time','disable_parallel_tool_use':true} | true"
            })
    void aToolIsCalledWhereTheChoiceSaysSo(String dialect, String choice, boolean called, ServingNode node)
            throws Exception {
        String more = choice == null ? "" : choice.replace('\'', '"');
        HttpResponse<String> answer =
                switch (dialect) {
                    case "chat" -> node.post(CHAT, chat(HELLO, more));
                    case "responses" -> node.post("/v1/responses", responses(HELLO, more));
                    default -> node.post("/v1/messages", messages(HELLO, more));
                };
        assertEquals(200, answer.statusCode(), answer.body());
        String produced = answer.body().replaceFirst("\"tools\":\\[.*", "");
        boolean calls = produced.contains("get_weather") || produced.contains("get_time");
        assertEquals(called, calls, answer.body());
        if (more.contains("get_time")) {
            assertTrue(produced.contains("get_time") && !produced.contains("get_weather"), answer.body());
        }
        assertFalse(produced.contains("tool_call>"), "no markup: " + answer.body());
    }

    @Test
    void theModelCallsAToolInResponsesToo(ServingNode node) throws Exception {
        JsonObject whole = node.postJson("/v1/responses", responses(BOSTON, ""));
        JsonObject call =
                (JsonObject) whole.array("output").orElseThrow().items().getFirst();
        assertEquals("function_call", call.string("type").orElseThrow());
        assertEquals("get_weather", call.string("name").orElseThrow());
        assertEquals(
                JsonObject.of("location", "Boston"),
                Json.parse(call.string("arguments").orElseThrow()));
        String stream = node.post("/v1/responses", responses(BOSTON, ",\"stream\":true"))
                .body();
        assertTrue(stream.contains("event: response.function_call_arguments.delta"), stream);
        assertTrue(stream.contains("event: response.function_call_arguments.done"), stream);
        String id = call.string("call_id").orElseThrow();
        JsonObject answer = node.postJson(
                "/v1/responses",
                responses(
                        "[{\"role\":\"user\",\"content\":\"What is the current weather in Boston?\"},{\"type\":\"function_call\",\"call_id\":\""
                                + id
                                + "\",\"name\":\"get_weather\",\"arguments\":\"{\\\"location\\\": \\\"Boston\\\"}\"},"
                                + "{\"type\":\"function_call_output\",\"call_id\":\"" + id
                                + "\",\"output\":\"{\\\"location\\\":\\\"Boston\\\",\\\"temperature_f\\\":61,\\\"condition\\\":\\\"cloudy\\\"}\"}]",
                        ""));
        assertEquals(
                "It is 61 degrees and cloudy in Boston.",
                answer.string("output_text").orElseThrow());
    }

    @Test
    void theModelCallsAFunctionInItsOlderForm(ServingNode node) throws Exception {
        JsonObject answer = node.postJson(
                CHAT,
                ASK + "\"messages\":" + BOSTON + ",\"functions\":[{\"name\":\"get_weather\",\"parameters\":"
                        + PARAMETERS + "}]}");
        JsonObject choice =
                (JsonObject) answer.array("choices").orElseThrow().items().getFirst();
        assertEquals("function_call", choice.string("finish_reason").orElseThrow());
        JsonObject call = choice.object("message")
                .flatMap(message -> message.object("function_call"))
                .orElseThrow();
        assertEquals("get_weather", call.string("name").orElseThrow());
    }

    /** A schema beside everything else that touches tokens: four answers in one batch, penalties, bias, log probabilities and a stop text. */
    @Test
    void aSchemaHoldsBesideAllElse(ServingNode node) throws Exception {
        String body = """
                {"model":"skulk/tiny-chat-4bit","messages":[{"role":"user","content":"Tell me."}],"temperature":1,"seed":%d,"n":4,
                 "max_tokens":120,"frequency_penalty":1.5,"presence_penalty":1.5,"repetition_penalty":1.3,"logit_bias":{"2":50},
                 "logprobs":true,"top_logprobs":2,"stop":["@@@"],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,
                  "schema":{"type":"object","properties":{"known":{"type":"boolean"},"colour":{"enum":["red","green","blue"]},
                   "count":{"type":"integer","minimum":1,"maximum":99}},"required":["known","colour","count"],
                   "additionalProperties":false}}}}""";
        for (int seed = 0; seed < 10; seed++) {
            JsonObject answer = node.postJson(CHAT, body.formatted(seed));
            List<Json> choices = answer.array("choices").orElseThrow().items();
            assertEquals(4, choices.size());
            for (Json choice : choices) {
                String text = ((JsonObject) choice)
                        .object("message")
                        .flatMap(message -> message.string("content"))
                        .orElseThrow();
                JsonObject value = (JsonObject) Json.parse(text);
                assertEquals(3, value.members().size(), text);
                assertTrue(value.bool("known").isPresent(), text);
                assertTrue(
                        List.of("red", "green", "blue")
                                .contains(value.string("colour").orElseThrow()),
                        text);
                long count = value.integer("count").orElseThrow();
                assertTrue(count >= 1 && count <= 99, text);
                List<Json> tokens = ((JsonObject) choice)
                        .object("logprobs")
                        .flatMap(logprobs -> logprobs.array("content"))
                        .orElseThrow()
                        .items();
                StringBuilder told = new StringBuilder();
                tokens.forEach(token -> told.append(
                        ((JsonString) ((JsonObject) token).find("token").orElseThrow()).value()));
                assertEquals(text, told.toString().strip(), "log probabilities of exactly these tokens");
            }
        }
    }

    @Test
    void aStopTextEndsAnOutputOfASchema(ServingNode node) throws Exception {
        JsonObject answer = node.postJson(CHAT, ASK + """
                "messages":[{"role":"user","content":"Tell me."}],"stop":["\\"colour\\""],"response_format":{"type":"json_schema",
                 "json_schema":{"name":"n","schema":{"type":"object","properties":{"known":{"type":"boolean"},"colour":{"enum":["red"]}},
                 "required":["known","colour"],"additionalProperties":false}}}}""");
        JsonObject choice =
                (JsonObject) answer.array("choices").orElseThrow().items().getFirst();
        String text = choice.object("message").flatMap(m -> m.string("content")).orElseThrow();
        assertTrue(text.startsWith("{") && text.contains("known") && !text.contains("colour"), text);
        assertEquals("stop", choice.string("finish_reason").orElseThrow());
    }

    @Test
    void aKeywordThatCannotBeEnforcedIsRefusedByNameInEveryDialect(ServingNode node) throws Exception {
        String schema = "{\"type\":\"array\",\"uniqueItems\":true}";
        for (HttpResponse<String> answer : List.of(
                node.post(
                        CHAT,
                        ASK + "\"messages\":" + HELLO
                                + ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":"
                                + schema + "}}}"),
                node.post(
                        "/v1/responses",
                        ASK
                                + "\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":"
                                + schema + "}}}"),
                node.post(
                        "/v1/messages",
                        ASK + "\"max_tokens\":9,\"messages\":" + HELLO
                                + ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":" + schema
                                + "}}}"),
                node.post(
                        "/api/chat",
                        "{\"model\":\"skulk/tiny-chat-4bit\",\"stream\":false,\"messages\":" + HELLO + ",\"format\":"
                                + schema + "}"))) {
            assertEquals(400, answer.statusCode(), answer.body());
            assertTrue(answer.body().contains("uniqueItems"), answer.body());
        }
    }
}
