package skulk.http.claude;

import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** One content block of an answer while it grows (contract section 5). Used by one thread. */
final class Block {
    /** What it is; the names are the wire's but for case. */
    enum Kind {
        THINKING,
        TEXT,
        TOOL_USE
    }

    private final Kind kind;
    private final String id;
    private final String name;
    private final StringBuilder text = new StringBuilder();

    private Block(Kind kind, String id, String name) {
        this.kind = kind;
        this.id = id;
        this.name = name;
    }

    static Block thinking() {
        return new Block(Kind.THINKING, "", "");
    }

    static Block text() {
        return new Block(Kind.TEXT, "", "");
    }

    /** @param id of the call as the engine has it */
    static Block toolUse(String id, String name) {
        String bare = id.startsWith("call_") ? id.substring("call_".length()) : id;
        return new Block(Kind.TOOL_USE, bare.startsWith("toolu_") ? bare : "toolu_" + bare, name);
    }

    Kind kind() {
        return kind;
    }

    void append(String more) {
        text.append(more);
    }

    /** The block as it starts. */
    JsonObject start() {
        return json("", JsonObject.EMPTY);
    }

    /** The block with everything in it. */
    JsonObject full() {
        return json(text.toString(), kind == Kind.TOOL_USE ? input() : JsonObject.EMPTY);
    }

    /** A delta of this block. */
    JsonObject delta(String more) {
        return switch (kind) {
            case THINKING -> delta("thinking_delta", "thinking", more);
            case TEXT -> delta("text_delta", "text", more);
            case TOOL_USE -> delta("input_json_delta", "partial_json", more);
        };
    }

    private static JsonObject delta(String type, String member, String more) {
        return JsonObject.builder().put("type", type).put(member, more).build();
    }

    /** SDKs declare a signature as a text that is always there, and send it back; nothing here is signed. */
    private JsonObject json(String content, Json input) {
        JsonObject.Builder json = JsonObject.builder();
        return switch (kind) {
            case THINKING ->
                json.put("type", "thinking")
                        .put("thinking", content)
                        .put("signature", "")
                        .build();
            case TEXT -> json.put("type", "text").put("text", content).build();
            case TOOL_USE ->
                json.put("type", "tool_use")
                        .put("id", id)
                        .put("name", name)
                        .put("input", input)
                        .build();
        };
    }

    /** The arguments; their text where a model wrote something that is no JSON. */
    private Json input() {
        try {
            return text.isEmpty() ? JsonObject.EMPTY : Json.parse(text.toString());
        } catch (JsonException e) {
            return new JsonString(text.toString());
        }
    }
}
