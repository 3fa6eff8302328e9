package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.Message;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Reads chat messages. What an earlier answer of this server looked like is always accepted back. */
final class MessageFields {
    private static final int MOST_MESSAGES = 10_000;
    private static final List<String> ROLES = List.of("system", "user", "assistant", "developer", "tool", "function");

    private MessageFields() {}

    static List<Message> read(DialectBody body, String name) {
        List<Fields> items = body.fields().objects(name);
        if (items.size() > MOST_MESSAGES) {
            body.fields().fail(name, "too_long", "List should have at most " + MOST_MESSAGES + " items");
        }
        List<Message> messages = new ArrayList<>();
        for (Fields item : items) {
            messages.add(message(body, item));
        }
        return messages;
    }

    private static Message message(DialectBody body, Fields fields) {
        fields.require("role");
        String role = fields.oneOf("role", ROLES).orElse("user");
        Optional<String> content = text(body, fields, "content");
        Optional<String> refusal = fields.string("refusal");
        List<Message.ToolCall> calls = new ArrayList<>();
        fields.objects("tool_calls").forEach(call -> calls.add(toolCall(body, call)));
        fields.object("function_call").ifPresent(call -> calls.add(functionCall("", call)));
        if (fields.has("audio")) {
            body.refuse("'audio' in a message is not supported: only text is");
        }
        fields.accept(
                "annotations"); // OpenAI's answers carry citations here; they are not part of the conversation's text
        return new Message(
                role,
                content.or(() -> refusal),
                fields.string("reasoning_content"),
                fields.string("name"),
                calls,
                fields.string("tool_call_id"));
    }

    private static Message.ToolCall toolCall(DialectBody body, Fields call) {
        call.accept("index");
        String type = call.string("type").orElse("function");
        if (!type.equals("function")) {
            body.refuse("a tool call of type '%s' is not supported: only 'function' is".formatted(type));
            call.accept(type);
        }
        String id = call.string("id").orElse("");
        if (type.equals("function")) {
            call.require("function");
        }
        return call.object("function")
                .map(f -> functionCall(id, f))
                .orElse(new Message.ToolCall(id, "", JsonObject.EMPTY));
    }

    private static Message.ToolCall functionCall(String id, Fields function) {
        function.accept("id");
        return new Message.ToolCall(
                id,
                function.requiredString("name"),
                arguments(function.string("arguments").orElse("{}")));
    }

    /** The arguments as an object; as they are where they are no JSON object. */
    static Json arguments(String text) {
        try {
            Json parsed = Json.parse(text);
            return parsed instanceof JsonObject ? parsed : new JsonString(text);
        } catch (JsonException e) {
            return new JsonString(text);
        }
    }

    /** Content that is a text, a part, or a list of parts; text parts are joined with a newline (contract section 3). */
    static Optional<String> text(DialectBody body, Fields fields, String name) {
        Optional<Json> content = fields.any(name);
        if (content.isEmpty()) {
            return Optional.empty();
        }
        return switch (content.get()) {
            case JsonString(String text) -> Optional.of(text);
            case JsonObject raw -> fields.object(name).map(part -> part(body, part, raw));
            case JsonArray list -> {
                List<String> texts = new ArrayList<>();
                List<Fields> parts = fields.objects(name);
                List<Json> raw = list.items().stream()
                        .filter(JsonObject.class::isInstance)
                        .toList();
                for (int i = 0; i < parts.size(); i++) {
                    texts.add(part(body, parts.get(i), raw.get(i)));
                }
                yield Optional.of(String.join("\n", texts));
            }
            default -> {
                fields.fail(name, "string_type", "Input should be a string, a content part or a list of content parts");
                yield Optional.empty();
            }
        };
    }

    private static String part(DialectBody body, Fields part, Json raw) {
        String type = part.requiredString("type");
        return switch (type) {
            case "text", "input_text", "output_text" -> {
                part.accept("annotations", "logprobs"); // of an answer sent back
                yield part.requiredString("text");
            }
            case "refusal" -> part.requiredString("refusal");
            case "" -> {
                DialectBody.skip(part, raw);
                yield "";
            }
            default -> {
                DialectBody.skip(part, raw);
                body.refuse("content part '%s' is not supported: only text is".formatted(type));
                yield "";
            }
        };
    }

    /** Whether there is anything to answer (contract section 3). */
    static boolean hasContent(List<Message> messages) {
        return messages.stream()
                .anyMatch(m -> m.content().filter(c -> !c.isBlank()).isPresent()
                        || !m.toolCalls().isEmpty());
    }
}
