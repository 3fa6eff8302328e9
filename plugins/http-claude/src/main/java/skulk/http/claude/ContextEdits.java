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
 * What {@code context_management} takes out of a conversation before it is answered: the thinking of older turns.
 *
 * @param thinkingTurns the newest turns that keep their thinking; empty for all
 */
record ContextEdits(Optional<Integer> thinkingTurns) {
    private static final String CLEAR_THINKING = "clear_thinking_20251015";

    static ContextEdits read(DialectBody body) {
        Optional<Integer> turns = Optional.empty();
        Optional<Fields> management = body.fields().object("context_management");
        if (management.isEmpty()) {
            return new ContextEdits(turns);
        }
        List<Json> raw = management.get().array("edits").map(JsonArray::items).orElse(List.of()).stream()
                .filter(JsonObject.class::isInstance)
                .toList();
        List<Fields> edits = management.get().objects("edits");
        for (int i = 0; i < edits.size(); i++) {
            String type = edits.get(i).requiredString("type");
            if (type.equals(CLEAR_THINKING)) {
                turns = keep(edits.get(i));
            } else {
                DialectBody.skip(edits.get(i), raw.get(i));
                body.refuse(
                        "'context_management' of type '%s' is not supported: %s is".formatted(type, CLEAR_THINKING));
            }
        }
        return new ContextEdits(turns);
    }

    /** {@code "all"}, or the last so many; one where nothing is said, as the service has it. */
    private static Optional<Integer> keep(Fields edit) {
        Optional<Json> keep = edit.any("keep");
        if (keep.isPresent() && keep.get() instanceof JsonString) {
            edit.oneOf("keep", List.of("all"));
            return Optional.empty();
        }
        return edit.object("keep")
                .map(some -> {
                    some.require("type");
                    String type =
                            some.oneOf("type", List.of("thinking_turns", "all")).orElse("all");
                    Optional<Integer> value = some.integer("value", 1, Integer.MAX_VALUE);
                    return type.equals("all") ? Optional.<Integer>empty() : value.or(() -> Optional.of(1));
                })
                .orElse(Optional.of(1));
    }

    List<Message> apply(List<Message> turns) {
        if (thinkingTurns.isEmpty()) {
            return turns;
        }
        List<Message> kept = new ArrayList<>(turns);
        int seen = 0;
        for (int i = kept.size() - 1; i >= 0; i--) {
            Message turn = kept.get(i);
            if (turn.reasoning().isPresent() && ++seen > thinkingTurns.get()) {
                kept.set(
                        i,
                        new Message(
                                turn.role(),
                                turn.content(),
                                Optional.empty(),
                                turn.name(),
                                turn.toolCalls(),
                                turn.toolCallId()));
            }
        }
        return kept;
    }
}
