package skulk.kernel.security;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;

/**
 * The keys that the admin endpoint made, and marks of those that it removed. Nodes agree by merging: of two words on one id the later counts, so that it does
 * not matter who tells whom, in which order or how often, and a node that was away neither loses a key nor brings a removed one back. Immutable; holds hashes,
 * never keys.
 *
 * @param words by id, in the order in which they were said
 */
public record StoredKeys(Map<String, Word> words) {
    public static final StoredKeys EMPTY = new StoredKeys(Map.of());

    /** Marks of removed keys that are kept, the newest: a node would have to be away for longer than this many removals to bring one back. */
    private static final int MARKS = 10_000;

    private static final String KEYS = "keys";
    private static final String REMOVED = "removed";

    /**
     * The last that was said of an id.
     *
     * @param key empty where it was removed
     * @param at when; always later than what was said of the id before
     */
    public record Word(Optional<ApiKey> key, Instant at) {
        /** The later one counts; at the same moment removal does, and of two keys the same one everywhere. */
        private static final Comparator<Word> ORDER = Comparator.comparing(Word::at)
                .thenComparing(word -> word.key().isEmpty())
                .thenComparing(word -> word.key().map(key -> key.hash().text()).orElse(""));
    }

    public StoredKeys {
        words = java.util.Collections.unmodifiableMap(bounded(words));
    }

    private static Map<String, Word> bounded(Map<String, Word> words) {
        Map<String, Word> kept = new LinkedHashMap<>(words);
        List<Map.Entry<String, Word>> marks = new ArrayList<>(kept.entrySet().stream()
                .filter(entry -> entry.getValue().key().isEmpty())
                .toList());
        marks.sort(Map.Entry.comparingByValue(Word.ORDER));
        marks.stream()
                .limit(Math.max(0, marks.size() - MARKS))
                .map(Map.Entry::getKey)
                .forEach(kept::remove);
        return kept;
    }

    /** The keys that count. */
    public List<ApiKey> keys() {
        return words.values().stream().flatMap(word -> word.key().stream()).toList();
    }

    /** With a key that is new, or replaces one that was removed. */
    StoredKeys with(ApiKey key) {
        return said(key.id(), new Word(Optional.of(key), key.createdAt()));
    }

    /** Without a key. @param now the clock; what was said of the key before counts as earlier even where the clock says otherwise */
    StoredKeys without(String id, Instant now) {
        return said(id, new Word(Optional.empty(), after(id, now)));
    }

    /** A moment after everything that was said of an id, the given one where that is. */
    Instant after(String id, Instant now) {
        Word before = words.get(id);
        return before == null || now.isAfter(before.at()) ? now : before.at().plusMillis(1);
    }

    private StoredKeys said(String id, Word word) {
        Map<String, Word> next = new LinkedHashMap<>(words);
        next.put(id, word);
        return new StoredKeys(next);
    }

    /** What both know. */
    public StoredKeys merged(StoredKeys other) {
        Map<String, Word> all = new LinkedHashMap<>(words);
        other.words.forEach((id, word) -> all.merge(id, word, (a, b) -> Word.ORDER.compare(a, b) >= 0 ? a : b));
        return new StoredKeys(all);
    }

    /** As it is stored and told to other nodes. */
    public JsonObject toJson() {
        List<Json> keys = new ArrayList<>();
        List<Json> removed = new ArrayList<>();
        words.forEach((id, word) -> {
            if (word.key().isPresent()) {
                keys.add(word.key().get().toJson());
            } else {
                removed.add(JsonObject.of("id", id).with("at", word.at().toString()));
            }
        });
        return JsonObject.of(KEYS, keys).with(REMOVED, new JsonArray(removed));
    }

    /** Reads what {@link #toJson()} writes. @throws IllegalArgumentException saying what is broken */
    public static StoredKeys fromJson(Json json) {
        if (!(json instanceof JsonObject object) || !object.has(KEYS)) {
            throw new IllegalArgumentException("holds no keys");
        }
        Map<String, Word> words = new LinkedHashMap<>();
        try {
            for (Json item : object.array(KEYS).orElse(JsonArray.of())) {
                ApiKey key = ApiKey.fromJson(item)
                        .orElseThrow(() -> new IllegalArgumentException("key " + (words.size() + 1) + " is broken"));
                words.put(key.id(), new Word(Optional.of(key), key.createdAt()));
            }
            for (Json item : object.array(REMOVED).orElse(JsonArray.of())) {
                JsonObject mark = item instanceof JsonObject o ? o : JsonObject.EMPTY;
                Instant at = Instant.parse(mark.string("at").orElse(""));
                words.put(
                        mark.string("id").filter(ApiKey::validId).orElseThrow(() -> broken()),
                        new Word(Optional.empty(), at));
            }
        } catch (DateTimeException | JsonException e) {
            throw broken();
        }
        return new StoredKeys(words);
    }

    private static IllegalArgumentException broken() {
        return new IllegalArgumentException("a mark of a removed key is broken");
    }
}
