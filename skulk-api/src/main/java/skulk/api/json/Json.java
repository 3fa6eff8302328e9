package skulk.api.json;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A JSON value (RFC 8259). Immutable and safe to share between threads. {@code toString()} is compact JSON text.
 *
 * <p>Parsing is strict: one value, no trailing text, no comments, no duplicate names, no unpaired surrogates in raw
 * UTF-8, nesting at most {@value JsonParser#MAX_DEPTH}. Numbers keep their literal, so nothing is rounded on the way through.
 */
public sealed interface Json permits JsonObject, JsonArray, JsonString, JsonNumber, JsonBoolean, JsonNull {

    /** The JSON null. */
    Json NULL = new JsonNull();

    /**
     * Parses one JSON text.
     *
     * @throws JsonException with the character position where the text stops being JSON
     */
    static Json parse(String text) {
        return new JsonParser(text).parseDocument();
    }

    /**
     * Parses one JSON text in UTF-8.
     *
     * @throws JsonException where the bytes are not UTF-8 or not JSON
     */
    static Json parse(byte[] utf8) {
        try {
            var text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8));
            return parse(text.toString());
        } catch (CharacterCodingException e) {
            throw new JsonException("not valid UTF-8", 0);
        }
    }

    /**
     * The JSON form of a plain Java value: {@code null}, {@link Json}, String, Character, Boolean, Number, Map with string keys,
     * Iterable or array of objects. Everything else (records, ids, enums) goes through {@link Records#toJson(Object)}.
     */
    static Json of(Object value) {
        return switch (value) {
            case null -> NULL;
            case Json json -> json;
            case String s -> new JsonString(s);
            case Boolean b -> new JsonBoolean(b);
            case Number n -> JsonNumber.of(n);
            case Map<?, ?> map -> {
                SequencedMap<String, Json> members = new LinkedHashMap<>();
                map.forEach((k, v) -> members.put(String.valueOf(k), of(v)));
                yield new JsonObject(members);
            }
            case Iterable<?> items -> {
                List<Json> list = new ArrayList<>();
                items.forEach(item -> list.add(of(item)));
                yield new JsonArray(list);
            }
            case int[] ints ->
                new JsonArray(java.util.Arrays.stream(ints)
                        .<Json>mapToObj(JsonNumber::of)
                        .toList());
            default -> Records.toJson(value);
        };
    }

    /**
     * The plain Java form: {@code Map<String, Object>} (ordered), {@code List<Object>}, String, Long, {@code BigInteger} (integers
     * beyond 64 bits), Double, Boolean or {@code null}. Used where templates and settings want Java values.
     */
    default Object toJava() {
        return switch (this) {
            case JsonNull n -> null;
            case JsonBoolean(boolean value) -> value;
            case JsonString(String value) -> value;
            case JsonNumber number -> number.toNumber();
            case JsonArray(List<Json> items) -> {
                List<Object> list = new ArrayList<>(items.size());
                items.forEach(item -> list.add(item.toJava()));
                yield list;
            }
            case JsonObject(SequencedMap<String, Json> members) -> {
                Map<String, Object> map = LinkedHashMap.newLinkedHashMap(members.size());
                members.forEach((k, v) -> map.put(k, v.toJava()));
                yield map;
            }
        };
    }

    /** What kind of value this is, as error messages name it: object, array, string, number, boolean or null. */
    default String kind() {
        return switch (this) {
            case JsonObject o -> "object";
            case JsonArray a -> "array";
            case JsonString s -> "string";
            case JsonNumber n -> "number";
            case JsonBoolean b -> "boolean";
            case JsonNull n -> "null";
        };
    }

    /** Compact JSON text as UTF-8 bytes. */
    default byte[] toBytes() {
        return toString().getBytes(StandardCharsets.UTF_8);
    }

    /** JSON text indented by two spaces, for people. */
    default String toPrettyString() {
        return new JsonWriter(2).write(this);
    }
}
