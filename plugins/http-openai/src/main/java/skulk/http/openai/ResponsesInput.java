package skulk.http.openai;

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
 * Turns the {@code input} of a response into messages. Items that belong to one turn of the assistant (its reasoning, text and calls are separate items
 * on this wire) become one message.
 */
final class ResponsesInput {
    private static final List<String> ROLES = List.of("user", "assistant", "system", "developer");

    private final DialectBody body;
    private final List<Message> messages = new ArrayList<>();
    private Optional<String> reasoning = Optional.empty();

    private ResponsesInput(DialectBody body) {
        this.body = body;
    }

    static List<Message> read(DialectBody body) {
        Optional<Json> input = body.fields().any("input");
        if (input.isPresent() && input.get() instanceof JsonString(String text)) {
            return List.of(Message.of("user", text));
        }
        ResponsesInput reader = new ResponsesInput(body);
        List<Fields> items = body.fields().objects("input");
        List<Json> raw =
                input.map(i -> i instanceof JsonArray a ? a.items() : List.<Json>of()).orElse(List.of()).stream()
                        .filter(JsonObject.class::isInstance)
                        .toList();
        for (int i = 0; i < items.size(); i++) {
            reader.item(items.get(i), raw.get(i));
        }
        return reader.messages;
    }

    private void item(Fields item, Json raw) {
        item.accept("id", "status"); // of an item of an earlier response
        String type = item.string("type").orElse("message");
        switch (type) {
            case "message" -> message(item);
            case "function_call" -> call(item);
            case "function_call_output" -> {
                item.require("output");
                messages.add(new Message(
                        "tool",
                        MessageFields.text(body, item, "output"),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        Optional.of(item.requiredString("call_id"))));
            }
            case "reasoning" -> {
                item.accept("encrypted_content");
                List<String> texts = new ArrayList<>();
                item.objects("summary").forEach(part -> texts.add(part(part)));
                item.objects("content").forEach(part -> texts.add(part(part)));
                reasoning = Optional.of(String.join("\n", texts)).filter(t -> !t.isEmpty());
            }
            default -> {
                DialectBody.skip(item, raw);
                body.refuse("an input item of type '%s' is not supported".formatted(type));
            }
        }
    }

    private static String part(Fields part) {
        part.accept("type");
        return part.requiredString("text");
    }

    private void message(Fields item) {
        item.require("role");
        item.accept("phase");
        String role = item.oneOf("role", ROLES).orElse("user");
        item.require("content");
        Optional<String> content = MessageFields.text(body, item, "content");
        boolean answer = role.equals("assistant");
        messages.add(new Message(
                role,
                content,
                answer ? takeReasoning() : Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty()));
    }

    private void call(Fields item) {
        Message.ToolCall call = new Message.ToolCall(
                item.requiredString("call_id"),
                item.requiredString("name"),
                MessageFields.arguments(item.string("arguments").orElse("{}")));
        if (messages.isEmpty() || !messages.getLast().role().equals("assistant")) {
            messages.add(new Message(
                    "assistant", Optional.empty(), takeReasoning(), Optional.empty(), List.of(), Optional.empty()));
        }
        Message last = messages.removeLast();
        List<Message.ToolCall> calls = new ArrayList<>(last.toolCalls());
        calls.add(call);
        messages.add(new Message(last.role(), last.content(), last.reasoning(), last.name(), calls, last.toolCallId()));
    }

    private Optional<String> takeReasoning() {
        Optional<String> taken = reasoning;
        reasoning = Optional.empty();
        return taken;
    }
}
