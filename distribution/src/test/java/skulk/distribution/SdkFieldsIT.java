package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.lang.reflect.Method;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * Every field that the SDKs' request types have: it is in a table of {@code docs/api.md}, and a live node does with it what its row says. A new version of an
 * SDK with a new field fails here until somebody has decided.
 */
@ExtendWith(SharedNode.class)
class SdkFieldsIT {
    private static final String TINY = "\"model\":\"skulk/tiny-chat-4bit\",";
    private static final String ASK = "{" + TINY + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private static final String ASK_RESPONSES = "{" + TINY + "\"input\":\"Hi\"";
    private static final String ASK_MESSAGES = ASK + ",\"max_tokens\":20";
    private static final String FUNCTION = "{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}";

    /** A request type of an SDK. */
    private record Type(Class<?> sdk, FieldTables.Sent sent) {}

    private static Type type(Class<?> sdk, String heading, String route, String base, String samples) {
        Set<String> given = ((JsonObject) Json.parse(base + "}")).members().keySet();
        return new Type(sdk, FieldTables.Sent.of(heading, route, base + "%s}", given, samples));
    }

    private static final Type CHAT = type(
            com.openai.models.chat.completions.ChatCompletionCreateParams.Body.class,
            "## OpenAI: `POST /v1/chat/completions`",
            "/v1/chat/completions",
            ASK,
            """
                    audio {"voice":"alloy","format":"wav"}
                    frequency_penalty 0.5
                    function_call "auto"
                    functions [%1$s]
                    logit_bias {"5":1}
                    logprobs true
                    max_completion_tokens 4
                    max_tokens 4
                    metadata {"a":"b"}
                    modalities ["text","audio"]
                    n 2
                    parallel_tool_calls false
                    prediction {"type":"content","content":"Hello"}
                    presence_penalty 0.5
                    prompt_cache_key "k"
                    prompt_cache_retention "24h"
                    reasoning_effort "low"
                    response_format {"type":"json_object"}
                    safety_identifier "s"
                    seed 5
                    service_tier "flex"
                    stop ["x"]
                    store true
                    stream_options {"include_usage":true}
                    temperature 0.5
                    tool_choice "none"
                    tools [{"type":"function","function":%1$s}]
                    top_logprobs 2,"logprobs":true
                    top_p 0.5
                    user "u"
                    verbosity "low"
                    web_search_options {}
                    """.formatted(FUNCTION));
    private static final Type COMPLETION = type(
            com.openai.models.completions.CompletionCreateParams.Body.class,
            "## OpenAI: `POST /v1/completions`",
            "/v1/completions",
            "{" + TINY + "\"prompt\":\"Once\",\"max_tokens\":3",
            """
                    best_of 2
                    echo true
                    frequency_penalty 0.5
                    logit_bias {"5":1}
                    logprobs 2
                    n 2
                    presence_penalty 0.5
                    seed 5
                    stop "x"
                    stream_options {"include_usage":true}
                    suffix "end"
                    temperature 0.5
                    top_p 0.5
                    user "u"
                    """);
    private static final Type RESPONSES = type(
            com.openai.models.responses.ResponseCreateParams.Body.class,
            "## OpenAI: `POST /v1/responses`",
            "/v1/responses",
            ASK_RESPONSES,
            """
                    background true
                    context_management [{"type":"compaction","compact_threshold":1000}]
                    conversation "conv_1"
                    include ["message.output_text.logprobs"]
                    instructions "Be brief."
                    max_output_tokens 20
                    max_tool_calls 3
                    metadata {"a":"b"}
                    parallel_tool_calls false
                    previous_response_id null
                    prompt {"id":"p"}
                    prompt_cache_key "k"
                    prompt_cache_retention "24h"
                    reasoning {"effort":"low","summary":"auto"}
                    safety_identifier "s"
                    service_tier "flex"
                    store false
                    stream_options {"include_obfuscation":true}
                    temperature 0.5
                    text {"format":{"type":"json_object"}}
                    tool_choice "none"
                    tools [{"type":"function","name":"f","parameters":{},"strict":false}]
                    top_logprobs 2,"include":["message.output_text.logprobs"]
                    top_p 0.5
                    truncation "auto"
                    user "u"
                    """);
    private static final Type MESSAGES = type(
            com.anthropic.models.messages.MessageCreateParams.Body.class,
            "## Claude: `POST /v1/messages`",
            "/v1/messages",
            ASK_MESSAGES,
            """
                    cache_control {"type":"ephemeral","ttl":"1h"}
                    container "c"
                    inference_geo "us"
                    metadata {"user_id":"u"}
                    output_config {"effort":"low"}
                    service_tier "standard_only"
                    stop_sequences ["x"]
                    system [{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}]
                    temperature 0.5
                    thinking {"type":"enabled","budget_tokens":1024,"display":"omitted"}
                    tool_choice {"type":"none"}
                    tools [{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}]
                    top_k 5
                    top_p 0.5
                    """);

    private static Set<String> fields(Class<?> type) {
        Set<String> names = new TreeSet<>();
        for (Method method : type.getDeclaredMethods()) {
            JsonProperty property = method.getAnnotation(JsonProperty.class);
            if (property != null && method.getName().startsWith("_")) {
                names.add(property.value());
            }
        }
        assertFalse(names.isEmpty(), type + " has " + names);
        return names;
    }

    @Test
    void everyFieldDoesWhatItsRowSays(ServingNode node) throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Type type : List.of(CHAT, COMPLETION, RESPONSES, MESSAGES)) {
            wrong.addAll(FieldTables.wrong(node, type.sent(), fields(type.sdk())));
        }
        assertEquals(List.of(), wrong);
    }

    /** A body with a member for each field of an SDK's type: none may be unknown here. */
    @Test
    void noFieldIsUnknownNotEvenInside(ServingNode node) throws Exception {
        known(
                node,
                "/v1/chat/completions",
                ASK + ",\"stream_options\":%s}",
                "",
                com.openai.models.chat.completions.ChatCompletionStreamOptions.class);
        known(
                node,
                "/v1/chat/completions",
                ASK + ",\"tools\":[{\"type\":\"function\",\"function\":%s}]}",
                "\"name\":\"f\"",
                com.openai.models.FunctionDefinition.class);
        known(
                node,
                "/v1/chat/completions",
                ASK + ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":%s}}",
                "\"name\":\"n\"",
                com.openai.models.ResponseFormatJsonSchema.JsonSchema.class);
        known(node, "/v1/responses", ASK_RESPONSES + ",\"reasoning\":%s}", "", com.openai.models.Reasoning.class);
        known(
                node,
                "/v1/responses",
                ASK_RESPONSES + ",\"text\":%s}",
                "",
                com.openai.models.responses.ResponseTextConfig.class);
        known(
                node,
                "/v1/responses",
                ASK_RESPONSES + ",\"tools\":[%s]}",
                "\"type\":\"function\",\"name\":\"f\"",
                com.openai.models.responses.FunctionTool.class);
        known(
                node,
                "/v1/embeddings",
                "%s",
                TINY + "\"input\":\"x\"",
                com.openai.models.embeddings.EmbeddingCreateParams.Body.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"tools\":[%s]}",
                "\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}",
                com.anthropic.models.messages.Tool.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"thinking\":%s}",
                "\"type\":\"enabled\",\"budget_tokens\":1024",
                com.anthropic.models.messages.ThinkingConfigEnabled.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"thinking\":%s}",
                "\"type\":\"adaptive\"",
                com.anthropic.models.messages.ThinkingConfigAdaptive.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"output_config\":%s}",
                "",
                com.anthropic.models.messages.OutputConfig.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"metadata\":%s}",
                "",
                com.anthropic.models.messages.Metadata.class);
        known(
                node,
                "/v1/messages",
                ASK_MESSAGES + ",\"system\":[%s]}",
                "\"type\":\"text\",\"text\":\"x\"",
                com.anthropic.models.messages.TextBlockParam.class);
        known(
                node,
                "/v1/messages/count_tokens",
                "%s",
                ASK.substring(1),
                com.anthropic.models.messages.MessageCountTokensParams.Body.class);
    }

    private static void known(ServingNode node, String route, String around, String given, Class<?> type)
            throws Exception {
        StringBuilder object = new StringBuilder("{").append(given);
        Stream<String> rest = fields(type).stream().filter(name -> !given.contains("\"" + name + "\":"));
        rest.forEach(name -> object.append(object.length() > 1 ? "," : "")
                .append('"')
                .append(name)
                .append("\":null"));
        HttpResponse<String> answer = node.post(route, around.formatted(object.append('}')));
        assertFalse(answer.body().contains("extra_forbidden"), type + ": " + answer.body());
    }

    /** What Claude Code sends, in one request; a prompt that must not break a client. */
    @Test
    void theHabitsOfAgentsWork(ServingNode node) throws Exception {
        HttpResponse<String> code = node.post("/v1/messages?beta=true", ASK + """
                ,"max_tokens":32,"temperature":1,"stream":true,"metadata":{"user_id":"user_1_session_2"},
                "system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2;"},
                 {"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral"}}],
                "tools":[{"name":"Bash","description":"Runs","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema",
                 "type":"object","properties":{"command":{"type":"string"}},"required":["command"],"additionalProperties":false}}],
                "tool_choice":{"type":"auto"},"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},
                "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}}""");
        assertEquals(200, code.statusCode(), code.body());
        HttpResponse<String> codex = node.post("/v1/responses", """
                {"model":"skulk/tiny-chat-4bit","instructions":"You are Codex.","input":[{"type":"message","role":"user",
                 "content":[{"type":"input_text","text":"Hi"}]}],"tools":[{"type":"function","name":"shell","description":"d","strict":false,
                 "parameters":{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}}},"required":["command"],
                 "additionalProperties":false}}],"tool_choice":"auto","parallel_tool_calls":false,"reasoning":{"effort":"medium","summary":"auto"},
                 "store":false,"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k","max_output_tokens":20}""");
        assertEquals(200, codex.statusCode(), codex.body());
        HttpResponse<String> ollama = node.post("/api/chat", ASK + """
                ,"stream":false,"keep_alive":"5m","format":"","think":false,"options":{"num_ctx":32768,"num_predict":8,"num_keep":24,
                 "num_gpu":-1,"num_thread":4,"num_batch":512,"repeat_last_n":64,"repeat_penalty":1.1,"temperature":0.8,"top_k":40,
                 "top_p":0.9,"min_p":0.05,"tfs_z":1.0,"typical_p":1.0,"mirostat":0,"mirostat_tau":5.0,"mirostat_eta":0.1,"seed":0,
                 "use_mmap":true,"use_mlock":false,"stop":[]}}""");
        assertEquals(200, ollama.statusCode(), ollama.body());
    }
}
