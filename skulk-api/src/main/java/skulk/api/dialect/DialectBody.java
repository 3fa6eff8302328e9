package skulk.api.dialect;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A request body being read: its fields, whose shape is answered with 422, and what is well-formed but not served, which is answered with 400 and the
 * field's name. Not thread-safe.
 */
public final class DialectBody {
    private final Fields fields;
    private final List<String> refusals = new ArrayList<>();

    private DialectBody(Fields fields) {
        this.fields = fields;
    }

    /** Starts on a request body that must be an object. */
    public static DialectBody of(Json json) {
        return new DialectBody(Fields.ofBody(json));
    }

    /** The fields of the body. */
    public Fields fields() {
        return fields;
    }

    /** Notes something that is not served; {@link #check()} throws the first one. */
    public void refuse(String message) {
        refusals.add(message);
    }

    /** Refuses a field by name unless its value changes nothing. */
    public void refuseUnless(String name, Predicate<Json> harmless, String why) {
        fields.any(name)
                .filter(value -> !harmless.test(value))
                .ifPresent(value -> refuse("'%s' is not supported: %s".formatted(name, why)));
    }

    /** @throws SkulkException INVALID for wrong shapes, else USER_ERROR for the first refusal */
    public void check() {
        fields.check();
        if (!refusals.isEmpty()) {
            throw new SkulkException(Problem.Kind.USER_ERROR, refusals.getFirst());
        }
    }

    /** The model's id; a text that cannot name a model names none that is placed. */
    public static ModelId model(String name) {
        try {
            return new ModelId(name);
        } catch (IllegalArgumentException e) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + name);
        }
    }

    public static boolean isFalse(Json value) {
        return value instanceof JsonBoolean(boolean b) && !b;
    }

    public static boolean isEmpty(Json value) {
        return value instanceof JsonArray array && array.size() == 0
                || value instanceof JsonObject object && object.members().isEmpty();
    }

    public static Predicate<Json> isOneOf(String... words) {
        return value ->
                value instanceof JsonString(String text) && List.of(words).contains(text);
    }

    public static Predicate<Json> isNumber(double number) {
        return value -> value instanceof JsonNumber n && n.toDouble() == number;
    }

    /** Reads no further than that a nested object is there: for one that is refused as a whole. */
    public static void skip(Fields nested, Json raw) {
        if (raw instanceof JsonObject object) {
            nested.accept(object.members().keySet().toArray(String[]::new));
        }
    }
}
