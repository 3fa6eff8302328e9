package skulk.api.generation;

import java.util.List;
import java.util.Optional;
import skulk.api.json.Json;

/**
 * One message of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant}, {@code developer}, {@code tool} or {@code function}
 * @param content the text; text parts of one message are joined with a newline (contract section 3). Empty for null content
 * @param reasoning what the assistant thought before this answer
 * @param name of the speaker or of the tool that answers
 * @param toolCalls calls the assistant made
 * @param toolCallId which call a tool message answers
 */
public record Message(
        String role,
        Optional<String> content,
        Optional<String> reasoning,
        Optional<String> name,
        List<ToolCall> toolCalls,
        Optional<String> toolCallId) {
    public Message {
        toolCalls = List.copyOf(toolCalls);
    }

    public static Message of(String role, String content) {
        return new Message(role, Optional.of(content), Optional.empty(), Optional.empty(), List.of(), Optional.empty());
    }

    /** @param arguments a JSON object; a JSON string where the client sent text that is not an object */
    public record ToolCall(String id, String name, Json arguments) {}
}
