package skulk.http.claude;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.Message;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * Reads the messages of a request. A user's message with tool results becomes one message per result; an assistant's blocks become one message. Text
 * blocks of one message are joined with a newline.
 */
final class ContentBlocks {
    private static final int MOST_MESSAGES = 100_000; // Claude's own limit
    private static final List<String> ROLES = List.of("user", "assistant");

    private final DialectBody body;
    private final String role;
    private final List<Message> messages = new ArrayList<>();
    private final List<String> texts = new ArrayList<>();
    private final List<String> thoughts = new ArrayList<>();
    private final List<Message.ToolCall> calls = new ArrayList<>();

    private ContentBlocks(DialectBody body, String role) {
        this.body = body;
        this.role = role;
    }

    static List<Message> readMessages(DialectBody body) {
        body.fields().require("messages");
        List<Fields> items = body.fields().objects("messages");
        if (items.size() > MOST_MESSAGES) {
            body.fields().fail("messages", "too_long", "List should have at most " + MOST_MESSAGES + " items");
        }
        List<Message> all = new ArrayList<>();
        for (Fields item : items) {
            item.require("role");
            item.require("content");
            ContentBlocks blocks =
                    new ContentBlocks(body, item.oneOf("role", ROLES).orElse("user"));
            blocks.content(item);
            all.addAll(blocks.messages);
        }
        return all;
    }

    /** The system prompt without the lines that clients of the original service put there for its bookkeeping. */
    static Optional<String> readSystem(DialectBody body) {
        Optional<String> text = text(body, body.fields(), "system");
        return text.map(t -> String.join(
                        "\n",
                        t.lines()
                                .filter(line -> !line.startsWith("x-anthropic-"))
                                .toList()))
                .filter(t -> !t.isEmpty());
    }

    private void content(Fields message) {
        Optional<Json> content = message.any("content");
        if (content.isPresent() && content.get() instanceof JsonArray list) {
            List<Fields> blocks = message.objects("content");
            List<Json> raw =
                    list.items().stream().filter(JsonObject.class::isInstance).toList();
            for (int i = 0; i < blocks.size(); i++) {
                block(blocks.get(i), raw.get(i));
            }
        } else {
            message.string("content").ifPresent(texts::add);
        }
        flush();
    }

    private void block(Fields block, Json raw) {
        String type = block.requiredString("type");
        block.accept("cache_control"); // prefixes are shared without it
        switch (type) {
            case "text" -> {
                block.accept("citations");
                texts.add(block.requiredString("text"));
            }
            case "thinking" -> {
                block.accept("signature");
                thoughts.add(block.requiredString("thinking"));
            }
            case "redacted_thinking" -> block.accept("data"); // only the service that made it can read it
            case "tool_use" -> {
                block.accept("caller");
                block.require("input");
                calls.add(new Message.ToolCall(
                        block.requiredString("id"),
                        block.requiredString("name"),
                        block.any("input").orElse(JsonObject.EMPTY)));
            }
            case "tool_result" -> toolResult(block);
            default -> {
                DialectBody.skip(block, raw);
                if (!type.isEmpty()) {
                    body.refuse("content block '%s' is not supported: only text and tools are".formatted(type));
                }
            }
        }
    }

    private void toolResult(Fields block) {
        flush();
        String prefix = block.bool("is_error").orElse(false) ? "Error: " : "";
        messages.add(new Message(
                "tool",
                Optional.of(prefix + text(body, block, "content").orElse("")),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.of(block.requiredString("tool_use_id"))));
    }

    /** Makes a message of what has gathered. */
    private void flush() {
        if (texts.isEmpty() && thoughts.isEmpty() && calls.isEmpty()) {
            return;
        }
        messages.add(new Message(
                role, joined(texts), joined(thoughts), Optional.empty(), List.copyOf(calls), Optional.empty()));
        texts.clear();
        thoughts.clear();
        calls.clear();
    }

    private static Optional<String> joined(List<String> parts) {
        return parts.isEmpty() ? Optional.empty() : Optional.of(String.join("\n", parts));
    }

    /** A text or a list of text blocks. */
    private static Optional<String> text(DialectBody body, Fields fields, String name) {
        Optional<Json> value = fields.any(name);
        if (value.isEmpty() || value.get() instanceof JsonString) {
            return fields.string(name);
        }
        List<String> parts = new ArrayList<>();
        List<Fields> blocks = fields.objects(name);
        List<Json> raw = value.get() instanceof JsonArray list
                ? list.items().stream().filter(JsonObject.class::isInstance).toList()
                : List.of();
        for (int i = 0; i < blocks.size(); i++) {
            Fields block = blocks.get(i);
            String type = block.requiredString("type");
            if (type.equals("text")) {
                block.accept("cache_control", "citations");
                parts.add(block.requiredString("text"));
            } else {
                DialectBody.skip(block, raw.get(i));
                if (!type.isEmpty()) {
                    body.refuse("'%s' block in '%s' is not supported: only text is".formatted(type, name));
                }
            }
        }
        return Optional.of(String.join("\n", parts));
    }

    static boolean hasContent(List<Message> messages) {
        return messages.stream()
                .anyMatch(m -> m.content().filter(c -> !c.isBlank()).isPresent()
                        || !m.toolCalls().isEmpty());
    }
}
