package skulk.api.fake;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import skulk.api.Settings;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** Settings out of a JSON object; remembers which keys were declared. */
public final class FakeSettings implements Settings {
    private final JsonObject section;
    private final Set<String> declared = new ConcurrentSkipListSet<>();

    public FakeSettings(JsonObject section) {
        this.section = section;
    }

    /** The keys read so far. */
    public Set<String> declared() {
        return declared;
    }

    @Override
    public Optional<Json> value(String key, String meaning) {
        declared.add(key);
        JsonObject at = section;
        String[] path = key.split("\\.");
        for (int i = 0; i + 1 < path.length; i++) {
            at = at.object(path[i]).orElse(JsonObject.EMPTY);
        }
        return at.find(path[path.length - 1]);
    }

    @Override
    public String text(String key, String fallback, String meaning) {
        return value(key, meaning)
                .map(v -> JsonObject.of(key, v).string(key).orElseThrow())
                .orElse(fallback);
    }

    @Override
    public double number(String key, double fallback, String meaning) {
        return value(key, meaning)
                .map(v -> JsonObject.of(key, v).number(key).orElseThrow())
                .orElse(fallback);
    }

    @Override
    public boolean flag(String key, boolean fallback, String meaning) {
        return value(key, meaning)
                .map(v -> JsonObject.of(key, v).bool(key).orElseThrow())
                .orElse(fallback);
    }
}
