package skulk.distribution;

import java.util.Map;
import java.util.Set;
import skulk.distribution.FieldTables.Sent;

/** What Ollama's clients can send, by the names of the types in the npm package {@code ollama}. */
final class OllamaFields {
    private static final String TINY = "\"model\":\"skulk/tiny-chat-4bit\"";
    private static final String CHAT =
            "{" + TINY + ",\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private static final String SHORT = ",\"options\":{\"num_predict\":4}%s}";
    private static final String FUNCTION = "{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}";
    private static final String COMMON = """
            format {"type":"object","properties":{"a":{"type":"boolean"}}}
            keep_alive "5m"
            think true
            logprobs true
            top_logprobs 2,"logprobs":true
            options {"seed":5}
            """;

    static final Map<String, Sent> TYPES = Map.of(
            "ChatRequest",
            Sent.of(
                    "### Ollama: chat and generate",
                    "/api/chat",
                    CHAT.replace("\"stream\":false,", "") + "%s}",
                    Set.of("model", "messages"),
                    COMMON + """
                    stream false
                    tools [{"type":"function","function":%s}]
                    truncate true
                    shift true
                    """.formatted(FUNCTION)),
            "GenerateRequest",
            Sent.of(
                    "### Ollama: chat and generate",
                    "/api/generate",
                    "{" + TINY + ",\"prompt\":\"Hi\"%s}",
                    Set.of("model", "prompt"),
                    COMMON + """
                    stream false
                    suffix "end"
                    system "Be brief."
                    template "{{ .Prompt }}"
                    context [1,2]
                    raw true
                    images ["aaaa"]
                    width 512
                    height 512
                    steps 4
                    """),
            "Options",
            Sent.of("### Ollama: options", "/api/chat", CHAT + ",\"options\":{%s}}", Set.of(), """
                    numa true
                    num_ctx 4096
                    num_batch 512
                    num_gpu 1
                    main_gpu 0
                    low_vram true
                    f16_kv true
                    logits_all true
                    vocab_only true
                    use_mmap true
                    use_mlock true
                    embedding_only true
                    num_thread 4
                    num_keep 24
                    seed 5
                    num_predict 4
                    top_k 5
                    top_p 0.5
                    min_p 0.1
                    tfs_z 0.5
                    typical_p 0.5
                    repeat_last_n 8
                    temperature 0.5
                    repeat_penalty 1.1
                    presence_penalty 0.5
                    frequency_penalty 0.5
                    mirostat 1
                    mirostat_tau 5.0
                    mirostat_eta 0.1
                    penalize_newline false
                    stop ["x"]
                    """),
            "EmbedRequest",
            Sent.of(
                    "### Ollama: embed and embeddings",
                    "/api/embed",
                    "{\"model\":\"test/pooled\",\"input\":\"a\"%s}",
                    Set.of("model", "input"),
                    """
                    truncate true
                    keep_alive 300
                    dimensions 8
                    options {"num_ctx":64}
                    """),
            "EmbeddingsRequest",
            Sent.of(
                    "### Ollama: embed and embeddings",
                    "/api/embeddings",
                    "{\"model\":\"test/pooled\",\"prompt\":\"a\"%s}",
                    Set.of("model", "prompt"),
                    """
                    keep_alive -1
                    options {"num_ctx":64}
                    """),
            "ShowRequest",
            Sent.of("### Ollama: show", "/api/show", "{" + TINY + "%s}", Set.of("model"), """
                    name "skulk/tiny-chat-4bit"
                    system "s"
                    template "t"
                    options {"seed":1}
                    """),
            "Message",
            Sent.of(
                    "### Ollama: messages and tools",
                    "/api/chat",
                    "{" + TINY + SHORT.formatted(",\"messages\":[{\"role\":\"user\",\"content\":\"a\"%s}]"),
                    Set.of("role", "content"),
                    """
                    thinking "t"
                    images ["aaaa"]
                    tool_calls [{"function":{"name":"f","arguments":{}}}]
                    tool_name "f"
                    """),
            "Tool.function",
            Sent.of(
                    "### Ollama: messages and tools",
                    "/api/chat",
                    CHAT + SHORT.formatted(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"%s}}]"),
                    Set.of("name"),
                    """
                    description "d"
                    type "object"
                    parameters {"type":"object","properties":{}}
                    """));

    private OllamaFields() {}
}
