package skulk.http.openai;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.generation.Message;
import skulk.api.json.JsonObject;

/**
 * Conversations that can be continued by the id of their last response, each only by the caller who made it. Bounded in number, size and time; the eldest
 * goes first. Safe for use by several threads.
 */
final class ResponseStore {
    private static final long MOST_CHARACTERS = 32_000_000;

    private final int most;
    private final long keptNanos;
    private final Map<String, Kept> kept = new LinkedHashMap<>();
    private long characters;

    /** @param messages the whole conversation with the answer, without instructions */
    record Conversation(JsonObject response, List<Message> messages) {
        private long characters() {
            return messages.stream()
                    .mapToLong(m -> m.content().map(String::length).orElse(0)
                            + m.reasoning().map(String::length).orElse(0)
                            + m.toolCalls().toString().length())
                    .sum();
        }
    }

    private record Kept(String owner, Conversation conversation, long characters, long until) {}

    ResponseStore(int most, Duration keptFor) {
        this.most = most;
        this.keptNanos = keptFor.toNanos();
    }

    synchronized void put(String id, String owner, Conversation conversation) {
        long size = conversation.characters();
        kept.put(id, new Kept(owner, conversation, size, System.nanoTime() + keptNanos));
        characters += size;
        dropOld();
    }

    synchronized Optional<Conversation> get(String id, String owner) {
        dropOld();
        return Optional.ofNullable(kept.get(id))
                .filter(k -> k.owner().equals(owner))
                .map(Kept::conversation);
    }

    /** Whether there was one. */
    synchronized boolean remove(String id, String owner) {
        if (get(id, owner).isEmpty()) {
            return false;
        }
        characters -= kept.remove(id).characters();
        return true;
    }

    private void dropOld() {
        long now = System.nanoTime();
        Iterator<Kept> eldest = kept.values().iterator();
        while (eldest.hasNext()) {
            Kept next = eldest.next();
            if (kept.size() <= most && characters <= MOST_CHARACTERS && next.until() - now > 0) {
                return; // entries are in the order of their age
            }
            characters -= next.characters();
            eldest.remove();
        }
    }
}
