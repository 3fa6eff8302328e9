package skulk.distribution;

import java.util.List;
import java.util.Map;
import skulk.api.json.Json;

/** Bodies that the routes of a node accept, with most of their fields: what tests break. */
final class GoodBodies {
    private static final String CHAT = """
            {"model":"skulk/tiny-chat-4bit","messages":[{"role":"system","content":"Be brief."},
             {"role":"user","content":[{"type":"text","text":"What is Skulk?"}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"1","content":"42"},{"role":"user","content":"Go on."}],
             "stream":true,"stream_options":{"include_usage":true},"stop":["a","b"],"n":1,"seed":1,"max_tokens":3,
             "logit_bias":{"5":1},"logprobs":true,"top_logprobs":1,"temperature":1,"top_p":0.9,"top_k":5,"min_p":0.1,
             "frequency_penalty":0.1,"presence_penalty":0.1,"repetition_penalty":1.1,"reasoning_effort":"low",
             "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object",
               "properties":{"a":{"type":"string","enum":["x","y"]}},"required":["a"]},"strict":true}}],
             "tool_choice":"auto","parallel_tool_calls":true,"metadata":{"a":"b"},"user":"u"}""";
    private static final String SHAPED = """
            {"model":"skulk/tiny-chat-4bit","messages":[{"role":"user","content":"Give me JSON."}],"max_tokens":6,
             "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object",
               "properties":{"a":{"type":"integer","minimum":1,"maximum":9},"b":{"type":"array","items":{"type":"string",
                "maxLength":4},"minItems":1,"maxItems":3},"c":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/d"}]}},
               "required":["a","b"],"additionalProperties":false,"$defs":{"d":{"type":"string","pattern":"^a+b?$"}}}}}}""";
    private static final String SCRIPTED = """
            {"model":"test/scripted","stream":true,"messages":[{"role":"user","content":
             "[{\\"reasoning\\":\\"hm\\"},{\\"text\\":\\"hi\\"},{\\"call\\":\\"f\\",\\"arguments\\":\\"{}\\"}]"}],
             "functions":[{"name":"f","parameters":{}}],"function_call":"auto"}""";
    private static final String COMPLETION = """
            {"model":"skulk/tiny-chat-4bit","prompt":["Once","upon"],"echo":false,"n":1,"best_of":1,"logprobs":1,
             "suffix":"","stop":"x","max_tokens":3,"stream":false,"temperature":0}""";
    private static final String RESPONSES = """
            {"model":"skulk/tiny-chat-4bit","input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
             {"type":"reasoning","summary":[{"type":"summary_text","text":"r"}]},
             {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
             {"type":"function_call_output","call_id":"c","output":"1"}],"instructions":"Be brief.","stream":true,
             "tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":"auto","text":{"format":{"type":"text"}},
             "reasoning":{"effort":"low"},"include":["message.output_text.logprobs"],"top_logprobs":2,"max_output_tokens":3,
             "metadata":{},"store":true,"previous_response_id":null}""";
    private static final String MESSAGES = """
            {"model":"skulk/tiny-chat-4bit","max_tokens":4,"stream":true,"temperature":1,"top_p":0.9,"top_k":3,
             "system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
             "messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":[
              {"type":"thinking","thinking":"t","signature":""},{"type":"tool_use","id":"1","name":"f","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"42","is_error":false}]}],
             "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}],
             "tool_choice":{"type":"auto"},"thinking":{"type":"enabled","budget_tokens":1024},"stop_sequences":["z"],
             "metadata":{"user_id":"u"}}""";
    private static final String COUNTED = """
            {"model":"skulk/tiny-chat-4bit","system":"Be brief.","messages":[{"role":"user","content":"a"}],
             "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}],
             "tool_choice":{"type":"auto"},"thinking":{"type":"disabled"}}""";
    private static final String OLLAMA_CHAT = """
            {"model":"skulk/tiny-chat-4bit","stream":true,"think":false,"format":"json","keep_alive":"5m","logprobs":true,
             "messages":[{"role":"user","content":"a"},{"role":"assistant","content":"","tool_calls":[{"function":
              {"name":"f","arguments":{}}}]},{"role":"tool","tool_name":"f","content":"42"}],
             "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],
             "options":{"num_predict":3,"temperature":1,"top_k":3,"seed":1,"stop":["a"],"num_ctx":512,"repeat_last_n":5}}""";
    private static final String OLLAMA_GENERATE = """
            {"model":"skulk/tiny-chat-4bit","prompt":"a","system":"s","stream":false,"raw":false,"think":false,
             "format":{"type":"object","properties":{"a":{"type":"boolean"}}},"options":{"num_predict":3}}""";
    private static final String EMBED = """
            {"model":"test/pooled","input":["a","b"],"truncate":true,"dimensions":8,"keep_alive":"5m","options":{"num_ctx":64}}""";

    private static final String EMBED_ONE = "{\"model\":\"test/pooled\",\"prompt\":\"a\"}";

    /** By the end of the path, so that aliases are the same; a model that nobody has where a good body would place one. */
    private static final Map<String, List<String>> BODIES = Map.ofEntries(
            Map.entry("/chat/completions", List.of(CHAT, SHAPED, SCRIPTED)),
            Map.entry("/v1/completions", List.of(COMPLETION)),
            Map.entry("/v1/responses", List.of(RESPONSES)),
            Map.entry("/v1/embeddings", List.of("""
                    {"model":"test/pooled","input":["a","b"],"encoding_format":"base64","dimensions":8,"user":"u"}""")),
            Map.entry("/v1/messages", List.of(MESSAGES)),
            Map.entry("/v1/messages/count_tokens", List.of(COUNTED)),
            Map.entry("/api/chat", List.of(OLLAMA_CHAT)),
            Map.entry("/v1/chat", List.of(OLLAMA_CHAT)),
            Map.entry("/generate", List.of(OLLAMA_GENERATE)),
            Map.entry("/embed", List.of(EMBED)),
            Map.entry("/api/embeddings", List.of(EMBED_ONE)),
            Map.entry("/ollama/api/v1/embeddings", List.of(EMBED_ONE)),
            Map.entry("/show", List.of("{\"model\":\"skulk/tiny-chat-4bit\",\"verbose\":true}")),
            Map.entry("/place_instance", List.of("""
                    {"model_id":"nobody/nothing","sharding":"Pipeline","instance_meta":"MlxRing","min_nodes":1,
                     "excluded_nodes":[]}""")),
            Map.entry("/instance", List.of("""
                    {"instance":{"MlxRingInstance":{"instanceId":"i","shardAssignments":{"modelId":"nobody/nothing",
                     "runnerToShard":{},"nodeToRunner":{}},"hostsByNode":{},"ephemeralPort":50000}}}""")),
            Map.entry("/models/add", List.of("{\"model_id\":\"nobody/nothing\"}")),
            Map.entry("/download/start", List.of("{\"targetNodeId\":\"nobody\",\"shardMetadata\":{}}")),
            Map.entry("/store/purge-staging", List.of("{\"modelId\":\"nobody/nothing\"}")),
            Map.entry(
                    "/capture",
                    List.of("{\"runnerId\":\"absent\",\"includeProcessSamples\":false,\"sampleDurationSeconds\":1}")),
            Map.entry("/cancel", List.of("{\"taskId\":\"absent\"}")),
            Map.entry("/v1/tracing", List.of("{\"enabled\":false}")),
            Map.entry("/v1/traces/delete", List.of("{\"taskIds\":[\"absent\"]}")),
            Map.entry("/config", List.of("{\"config\":{\"tracing\":{\"retention_days\":3}}}")),
            Map.entry("/admin/keys", List.of("{\"id\":\"fuzz\",\"scopes\":[\"infer\"]}")),
            Map.entry("/onboarding", List.of("{\"completed\":true}")));

    private GoodBodies() {}

    /** The bodies of a path; none where it takes none, or where nobody wrote one. */
    static List<Json> of(String path) {
        return BODIES.entrySet().stream()
                .filter(entry -> path.endsWith(entry.getKey()))
                .max(java.util.Comparator.comparingInt(entry -> entry.getKey().length()))
                .stream()
                .flatMap(entry -> entry.getValue().stream())
                .map(Json::parse)
                .toList();
    }
}
