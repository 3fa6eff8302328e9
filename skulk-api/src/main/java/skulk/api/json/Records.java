package skulk.api.json;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Records to JSON and back, by one fixed rule, so that state, commands, events and frames need no code of their own.
 *
 * <p>A record is an object of its components. A record that implements a sealed interface is the one-key object
 * <code>{"SimpleName": {…}}</code> wherever the sealed type is declared (contract section 0, "Union values"). A {@link Id} is its string, an enum its
 * {@code toString()}, {@code Optional.empty()} null, an {@code Instant} ISO-8601 with {@code Z}, a {@code Duration} ISO-8601,
 * {@code byte[]} base64, a {@link Json} itself. Reading ignores unknown members (newer peers may send more) and throws {@link JsonException} naming the component where one is missing or of a
 * wrong type; an absent Optional, List, Set or Map reads as empty. Record types must be accessible to this module (public and exported or opened).
 */
public final class Records {
    private Records() {}

    /** A value that travels as one string; implemented by records with a single {@code String value}. */
    public interface Id {
        String value();
    }

    /** The JSON form, component names as declared (camelCase). */
    public static Json toJson(Object value) {
        return new Encoder(UnaryOperator.identity()).encode(value);
    }

    /** The JSON form with component names in snake_case, "all the way down" (contract section 1.5, {@code /events}); map keys are left as they are. */
    public static Json toSnakeJson(Object value) {
        return new Encoder(Records::snake).encode(value);
    }

    /** The tagged form <code>{"SimpleName": {…}}</code> of a record that stands for a case of a sealed type. */
    public static JsonObject toTaggedJson(Record value) {
        return JsonObject.of(
                value.getClass().getSimpleName(), new Encoder(UnaryOperator.identity()).encodeRecord(value));
    }

    /**
     * Reads a value of a record, sealed, enum, id or simple type.
     *
     * @throws JsonException naming the component that does not fit
     */
    public static <T> T fromJson(Json json, Class<T> type) {
        return type.cast(new Decoder().decode(json, type, type.getSimpleName()));
    }

    /** {@code camelCase} to {@code snake_case}. */
    public static String snake(String camel) {
        StringBuilder out = new StringBuilder(camel.length() + 4);
        for (int i = 0; i < camel.length(); i++) {
            char c = camel.charAt(i);
            if (Character.isUpperCase(c)) {
                if (i > 0) {
                    out.append('_');
                }
                out.append(Character.toLowerCase(c));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private record Encoder(UnaryOperator<String> naming) {
        Json encode(Object value) {
            return switch (value) {
                case null -> Json.NULL;
                case Json json -> json;
                case Id id -> new JsonString(id.value());
                case Optional<?> optional -> encode(optional.orElse(null));
                case Enum<?> constant -> new JsonString(constant.toString());
                case Instant instant -> new JsonString(instant.toString());
                case Duration duration -> new JsonString(duration.toString());
                case byte[] bytes -> new JsonString(Base64.getEncoder().encodeToString(bytes));
                case Record record ->
                    tagged(record)
                            ? JsonObject.of(record.getClass().getSimpleName(), encodeRecord(record))
                            : encodeRecord(record);
                case Map<?, ?> map -> {
                    JsonObject.Builder object = JsonObject.builder();
                    map.forEach((k, v) -> object.put(k instanceof Id id ? id.value() : k.toString(), encode(v)));
                    yield object.build();
                }
                case Iterable<?> items -> {
                    List<Json> list = new ArrayList<>();
                    items.forEach(item -> list.add(encode(item)));
                    yield new JsonArray(list);
                }
                case String s -> new JsonString(s);
                case Boolean b -> new JsonBoolean(b);
                case Number n -> JsonNumber.of(n);
                case int[] ints -> Json.of(ints);
                default ->
                    throw new JsonException(
                            "no JSON form for " + value.getClass().getName(), -1);
            };
        }

        JsonObject encodeRecord(Record record) {
            JsonObject.Builder object = JsonObject.builder();
            for (RecordComponent component : record.getClass().getRecordComponents()) {
                object.put(naming.apply(component.getName()), encode(read(record, component)));
            }
            return object.build();
        }
    }

    private static boolean tagged(Record record) {
        for (Class<?> parent : record.getClass().getInterfaces()) {
            if (parent.isSealed()) {
                return true;
            }
        }
        return false;
    }

    private static Object read(Record record, RecordComponent component) {
        try {
            return component.getAccessor().invoke(record);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new JsonException(
                    "cannot read " + record.getClass().getName() + "." + component.getName() + ": " + e, -1);
        }
    }

    private static final class Decoder {
        Object decode(Json json, Type type, String where) {
            if (type instanceof ParameterizedType generic) {
                return decodeGeneric(json, generic, where);
            }
            if (!(type instanceof Class<?> raw)) {
                throw new JsonException(where + ": cannot read " + type, -1);
            }
            return decodeClass(json, raw, where);
        }

        private Object decodeGeneric(Json json, ParameterizedType type, String where) {
            Type[] arguments = type.getActualTypeArguments();
            Class<?> raw = (Class<?>) type.getRawType();
            if (raw == Optional.class) {
                return json instanceof JsonNull ? Optional.empty() : Optional.of(decode(json, arguments[0], where));
            }
            if (Map.class.isAssignableFrom(raw)) {
                Map<Object, Object> map = new LinkedHashMap<>();
                if (json instanceof JsonObject object) {
                    object.members()
                            .forEach((k, v) -> map.put(
                                    decodeKey(k, arguments[0], where), decode(v, arguments[1], where + "." + k)));
                } else if (!(json instanceof JsonNull)) {
                    throw wrong(where, "an object", json);
                }
                return map;
            }
            List<Object> items = new ArrayList<>();
            if (json instanceof JsonArray array) {
                array.forEach(item -> items.add(decode(item, arguments[0], where)));
            } else if (!(json instanceof JsonNull)) {
                throw wrong(where, "an array", json);
            }
            return Set.class.isAssignableFrom(raw) ? new LinkedHashSet<>(items) : items;
        }

        /** The name of a member as a map's key; JSON has no other names than strings. */
        private Object decodeKey(String key, Type type, String where) {
            try {
                return type == Integer.class ? (Object) Integer.valueOf(key) : decode(new JsonString(key), type, where);
            } catch (NumberFormatException e) {
                throw new JsonException("%s: '%s' is not a whole number".formatted(where, key), -1);
            }
        }

        private Object decodeClass(Json json, Class<?> type, String where) {
            if (Json.class.isAssignableFrom(type)) {
                if (!type.isInstance(json)) {
                    throw wrong(where, "a " + type.getSimpleName(), json);
                }
                return json;
            }
            if (type.isSealed() && type.isInterface()) {
                return decodeTagged(json, type, where);
            }
            if (json instanceof JsonString(String text)) {
                return decodeText(text, type, where);
            }
            if (json instanceof JsonBoolean(boolean value) && (type == boolean.class || type == Boolean.class)) {
                return value;
            }
            if (json instanceof JsonNumber number) {
                return decodeNumber(number, type, where);
            }
            if (json instanceof JsonObject object && type.isRecord()) {
                return decodeRecord(object, type, where);
            }
            throw wrong(where, "a " + type.getSimpleName(), json);
        }

        private Object decodeTagged(Json json, Class<?> type, String where) {
            if (json instanceof JsonObject object && object.members().size() == 1) {
                Map.Entry<String, Json> only = object.members().firstEntry();
                for (Class<?> permitted : cases(type)) {
                    if (permitted.getSimpleName().equals(only.getKey())
                            && only.getValue() instanceof JsonObject fields) {
                        return decodeRecord(fields, permitted, where + "." + only.getKey());
                    }
                }
                throw new JsonException(
                        "%s: unknown %s '%s'".formatted(where, type.getSimpleName(), only.getKey()), -1);
            }
            throw wrong(where, "a one-key object naming a " + type.getSimpleName(), json);
        }

        private static List<Class<?>> cases(Class<?> type) {
            List<Class<?>> found = new ArrayList<>();
            for (Class<?> permitted : type.getPermittedSubclasses()) {
                if (permitted.isRecord()) {
                    found.add(permitted);
                } else {
                    found.addAll(cases(permitted));
                }
            }
            return found;
        }

        private static Object decodeText(String text, Class<?> type, String where) {
            if (type == String.class) {
                return text;
            }
            if (type == Instant.class) {
                return Instant.parse(text);
            }
            if (type == Duration.class) {
                return Duration.parse(text);
            }
            if (type == byte[].class) {
                return Base64.getDecoder().decode(text);
            }
            if (type.isEnum()) {
                for (Object constant : type.getEnumConstants()) {
                    if (constant.toString().equals(text)) {
                        return constant;
                    }
                }
                throw new JsonException(
                        "%s: '%s' is not one of %s".formatted(where, text, List.of(type.getEnumConstants())), -1);
            }
            if (Id.class.isAssignableFrom(type)) {
                return construct(type, new Class<?>[] {String.class}, new Object[] {text}, where);
            }
            throw wrong(where, "a " + type.getSimpleName(), new JsonString(text));
        }

        private static Object decodeNumber(JsonNumber number, Class<?> type, String where) {
            try {
                if (type == long.class || type == Long.class) {
                    return number.toLong();
                }
                if (type == int.class || type == Integer.class) {
                    return Math.toIntExact(number.toLong());
                }
            } catch (ArithmeticException e) {
                throw new JsonException(where + ": " + number + " does not fit", -1);
            }
            if (type == double.class || type == Double.class) {
                return number.toDouble();
            }
            if (type == float.class || type == Float.class) {
                return (float) number.toDouble();
            }
            throw wrong(where, "a " + type.getSimpleName(), number);
        }

        private Object decodeRecord(JsonObject object, Class<?> type, String where) {
            RecordComponent[] components = type.getRecordComponents();
            Class<?>[] types = new Class<?>[components.length];
            Object[] values = new Object[components.length];
            for (int i = 0; i < components.length; i++) {
                String name = components[i].getName();
                Json value =
                        object.members().getOrDefault(name, object.members().getOrDefault(snake(name), Json.NULL));
                types[i] = components[i].getType();
                values[i] = decode(value, components[i].getGenericType(), where + "." + name);
            }
            return construct(type, types, values, where);
        }

        private static Object construct(Class<?> type, Class<?>[] types, Object[] values, String where) {
            try {
                return type.getDeclaredConstructor(types).newInstance(values);
            } catch (InvocationTargetException e) {
                throw new JsonException(where + ": " + e.getCause().getMessage(), -1);
            } catch (ReflectiveOperationException e) {
                throw new JsonException(where + ": cannot make " + type.getName() + ": " + e, -1);
            }
        }

        private static JsonException wrong(String where, String wanted, Json value) {
            return new JsonException("%s must be %s, not %s".formatted(where, wanted, value.kind()), -1);
        }
    }
}
