package skulk.api.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A JSON object; member order is kept.
 *
 * <p>The typed getters treat an absent member and a JSON null alike (empty) and throw {@link JsonException}, naming the member,
 * where the value has another type.
 */
public record JsonObject(SequencedMap<String, Json> members) implements Json {

    public static final JsonObject EMPTY = new JsonObject(new LinkedHashMap<>());

    public JsonObject {
        members = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(members));
    }

    /** A builder that keeps the order of its puts. */
    public static Builder builder() {
        return new Builder();
    }

    /** An object of one member, the shape of a tagged union value. */
    public static JsonObject of(String name, Object value) {
        return builder().put(name, value).build();
    }

    /** The member, unless it is absent or null. */
    public Optional<Json> find(String name) {
        Json value = members.get(name);
        return value == null || value instanceof JsonNull ? Optional.empty() : Optional.of(value);
    }

    public boolean has(String name) {
        return members.containsKey(name);
    }

    public Optional<String> string(String name) {
        return find(name).map(v -> v instanceof JsonString(String s) ? s : wrong(name, "string", v));
    }

    /** The member as a 64-bit integer; {@code 2.0} is one, {@code 2.5} is not. */
    public Optional<Long> integer(String name) {
        return find(name).map(v -> v instanceof JsonNumber n && n.isLong() ? n.toLong() : wrong(name, "integer", v));
    }

    public Optional<Double> number(String name) {
        return find(name).map(v -> v instanceof JsonNumber n ? n.toDouble() : wrong(name, "number", v));
    }

    public Optional<Boolean> bool(String name) {
        return find(name).map(v -> v instanceof JsonBoolean(boolean b) ? b : wrong(name, "boolean", v));
    }

    public Optional<JsonObject> object(String name) {
        return find(name).map(v -> v instanceof JsonObject o ? o : wrong(name, "object", v));
    }

    public Optional<JsonArray> array(String name) {
        return find(name).map(v -> v instanceof JsonArray a ? a : wrong(name, "array", v));
    }

    /** A copy with one member set, at the end if it is new. */
    public JsonObject with(String name, Object value) {
        return builder().putAll(members).put(name, value).build();
    }

    private static <T> T wrong(String name, String wanted, Json value) {
        throw new JsonException("'%s' must be a %s, not %s".formatted(name, wanted, value.kind()), -1);
    }

    @Override
    public String toString() {
        return new JsonWriter(0).write(this);
    }

    /** Collects members in order; not thread-safe. */
    public static final class Builder {
        private final SequencedMap<String, Json> members = new LinkedHashMap<>();

        private Builder() {}

        /** Sets a member to the JSON form of a value, see {@link Json#of(Object)}; an empty Optional writes null. */
        public Builder put(String name, Object value) {
            members.put(name, value instanceof Optional<?> o ? Json.of(o.orElse(null)) : Json.of(value));
            return this;
        }

        /** Sets a member unless the value is empty. */
        public Builder putIfPresent(String name, Optional<?> value) {
            value.ifPresent(v -> put(name, v));
            return this;
        }

        public Builder putAll(Map<String, Json> others) {
            members.putAll(others);
            return this;
        }

        public JsonObject build() {
            return new JsonObject(members);
        }
    }
}
