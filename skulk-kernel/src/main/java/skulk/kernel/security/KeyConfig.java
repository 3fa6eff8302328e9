package skulk.kernel.security;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.kernel.config.ConfigurationException;

/**
 * The keys of the configuration, {@code api.keys}: id to {@code {key | sha256 | hash, scopes, max_concurrent, tokens_per_minute}}. Messages name the key's id
 * and the field, and never show a value that could be a secret. Pure.
 */
final class KeyConfig {
    /** Shorter keys could be guessed over the network. */
    private static final int SHORTEST = 16;

    private static final Set<String> FIELDS =
            Set.of("key", "sha256", "hash", "scopes", "max_concurrent", "tokens_per_minute");

    private KeyConfig() {}

    /** @throws ConfigurationException naming the first field that does not fit */
    static List<ApiKey> read(JsonObject keys) {
        List<ApiKey> read = new ArrayList<>();
        keys.members().forEach((id, value) -> read.add(read(id, value)));
        return List.copyOf(read);
    }

    private static ApiKey read(String id, Json value) {
        if (!ApiKey.validId(id)) {
            throw wrong(id, "an id is a letter, then up to 63 letters, digits, dots, dashes or underscores");
        }
        if (!(value instanceof JsonObject key)) {
            throw wrong(id, "must be a mapping of sha256 (or hash, or key) and scopes");
        }
        key.members().keySet().stream()
                .filter(name -> !FIELDS.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw wrong(
                            id,
                            "unknown field " + name
                                    + "; there are key, sha256, hash, scopes, max_concurrent, tokens_per_minute");
                });
        try {
            ApiKey.Limits limits = new ApiKey.Limits(
                    (int) number(id, key, "max_concurrent", 1_000_000), number(id, key, "tokens_per_minute", 1L << 50));
            return new ApiKey(id, hash(id, key), scopes(id, key), limits, Instant.EPOCH);
        } catch (JsonException e) { // names the field and the type
            throw wrong(id, e.getMessage());
        }
    }

    private static KeyHash hash(String id, JsonObject key) {
        long given = List.of("key", "sha256", "hash").stream().filter(key::has).count();
        if (given != 1) {
            throw wrong(id, "needs exactly one of sha256, hash and key");
        }
        if (key.has("key")) {
            String plain = key.string("key").orElse("");
            if (plain.length() < SHORTEST) {
                throw wrong(id, "key must be a text of at least " + SHORTEST + " characters");
            }
            return KeyHash.ofRandom(plain); // the file has it in clear: a slow hash in memory would protect nothing
        }
        if (key.has("sha256")) {
            return KeyHash.parse("sha256$$" + key.string("sha256").orElse(""))
                    .orElseThrow(() -> wrong(id, "sha256 must be 64 hexadecimal digits"));
        }
        return key.string("hash")
                .flatMap(KeyHash::parse)
                .orElseThrow(() -> wrong(id, "hash must be sha256$salt$digest or pbkdf2-sha256$rounds$salt$digest"));
    }

    private static Set<Scope> scopes(String id, JsonObject key) {
        JsonArray array =
                key.array("scopes").filter(a -> a.size() > 0).orElseThrow(() -> wrong(id, "scopes are missing"));
        Set<Scope> scopes = new HashSet<>();
        for (Json item : array) {
            String word = item instanceof JsonString(String text) ? text : item.toString();
            scopes.add(ApiKey.scope(word)
                    .orElseThrow(() -> wrong(id, "unknown scope " + word + "; there are infer, place, admin")));
        }
        return scopes;
    }

    private static long number(String id, JsonObject key, String name, long most) {
        if (!key.has(name)) {
            return 0;
        }
        Optional<Long> value = key.integer(name).filter(n -> n >= 1 && n <= most);
        return value.orElseThrow(() -> wrong(id, name + " must be a whole number from 1 to " + most));
    }

    private static ConfigurationException wrong(String id, String what) {
        return new ConfigurationException("api.keys." + id + ": " + what);
    }
}
