package skulk.runner.mlx.model;

import java.util.Map;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.Fields;

/** Configurations leave out fields that equal the defaults of their family. */
final class Defaults {
    private Defaults() {}

    /** The configuration with those values added whose fields it does not have; null counts as having it. */
    static Fields fill(Fields config, Map<String, Object> values) {
        JsonObject json = config.json();
        for (Map.Entry<String, Object> value : values.entrySet()) {
            json = json.has(value.getKey()) ? json : json.with(value.getKey(), value.getValue());
        }
        return new Fields(config.where(), json);
    }

    /** The configuration with a field set. */
    static Fields with(Fields config, String name, Object value) {
        return new Fields(config.where(), config.json().with(name, value));
    }

    /** The configuration without fields that the family does not read. */
    static Fields without(Fields config, String... names) {
        JsonObject json = config.json();
        for (String name : names) {
            json = json.with(name, Json.NULL);
        }
        return new Fields(config.where(), json);
    }
}
