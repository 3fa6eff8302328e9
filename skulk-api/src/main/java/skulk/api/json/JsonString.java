package skulk.api.json;

import java.util.Objects;

/** A JSON string. */
public record JsonString(String value) implements Json {
    public JsonString {
        Objects.requireNonNull(value, "value");
    }

    @Override
    public String toString() {
        return new JsonWriter(0).write(this);
    }
}
