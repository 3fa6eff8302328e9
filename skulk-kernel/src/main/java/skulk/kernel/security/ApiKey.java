package skulk.kernel.security;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * One API key as it is kept: everything but the key.
 *
 * @param id names the key in listings, logs and requests ({@code Caller.id}); begins with a letter, so that it is never taken for an address
 * @param hash of the key
 * @param scopes what it may do, implied ones included: admin may place, and place may infer
 * @param limits how much
 * @param createdAt the epoch for keys of the configuration
 */
public record ApiKey(String id, KeyHash hash, Set<Scope> scopes, Limits limits, Instant createdAt) {
    private static final Pattern ID = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,63}");

    /**
     * How much a key may use of each node.
     *
     * @param maxConcurrent generations at a time; 0 is without limit
     * @param tokensPerMinute prompt and answer together; 0 is without limit
     */
    public record Limits(int maxConcurrent, long tokensPerMinute) {
        public static final Limits NONE = new Limits(0, 0);
    }

    public ApiKey {
        if (!validId(id)) {
            throw new IllegalArgumentException(
                    "the id of a key is a letter, then up to 63 letters, digits, dots, dashes or underscores: " + id);
        }
        EnumSet<Scope> all = EnumSet.of(Scope.OPEN);
        for (Scope scope : scopes) {
            all.addAll(EnumSet.range(Scope.OPEN, scope)); // the scopes are declared from the least to the most
        }
        scopes = Set.copyOf(all);
    }

    /** Whether a text can name a key. */
    public static boolean validId(String id) {
        return ID.matcher(id).matches();
    }

    /** Reads the word of a scope that a key can have. */
    public static Optional<Scope> scope(String word) {
        return switch (word) {
            case "infer" -> Optional.of(Scope.INFER);
            case "place" -> Optional.of(Scope.PLACE);
            case "admin" -> Optional.of(Scope.ADMIN);
            default -> Optional.empty();
        };
    }

    /** The words of the scopes, from the least to the most. */
    public List<String> scopeWords() {
        return EnumSet.copyOf(scopes).stream()
                .filter(scope -> scope != Scope.OPEN)
                .map(scope -> scope.name().toLowerCase(Locale.ROOT))
                .toList();
    }

    /** As it is stored and sent to other nodes. */
    public JsonObject toJson() {
        return JsonObject.builder()
                .put("id", id)
                .put("hash", hash.text())
                .put("scopes", scopeWords())
                .put("max_concurrent", limits.maxConcurrent())
                .put("tokens_per_minute", limits.tokensPerMinute())
                .put("created_at", createdAt.toString())
                .build();
    }

    /** Reads what {@link #toJson()} writes; empty where it is something else. */
    public static Optional<ApiKey> fromJson(Json json) {
        if (!(json instanceof JsonObject object)) {
            return Optional.empty();
        }
        try {
            Optional<KeyHash> hash = object.string("hash").flatMap(KeyHash::parse);
            Optional<String> id = object.string("id").filter(ApiKey::validId);
            List<Scope> scopes = new ArrayList<>();
            for (Json item : object.array("scopes").map(JsonArray::items).orElse(List.of())) {
                Optional<Scope> scope = item instanceof JsonString(String word) ? scope(word) : Optional.empty();
                if (scope.isEmpty()) {
                    return Optional.empty();
                }
                scopes.add(scope.get());
            }
            Instant created = Instant.parse(object.string("created_at").orElse(""));
            Limits limits = new Limits(
                    object.integer("max_concurrent").orElse(0L).intValue(),
                    object.integer("tokens_per_minute").orElse(0L));
            return id.isEmpty() || hash.isEmpty() || scopes.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new ApiKey(id.get(), hash.get(), Set.copyOf(scopes), limits, created));
        } catch (DateTimeException | JsonException e) {
            return Optional.empty();
        }
    }
}
