package skulk.api.http;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Violation;
import skulk.api.problem.SkulkException;

/**
 * Reads a JSON object field by field and collects everything that is wrong with it, so that one 422 names it all (contract section 0). Call the getters,
 * then {@link #check()} before using what they returned. A field that no getter asked for is an {@code extra_forbidden} violation: nothing is accepted
 * and ignored. Absent and null fields are alike. Not thread-safe.
 */
public final class Fields {
    private static final int MOST_NAMED = 4;

    private final JsonObject object;
    private final List<String> location;
    private final List<Violation> violations;
    private final Set<String> known = new LinkedHashSet<>();
    private final List<Fields> children = new ArrayList<>();

    private Fields(JsonObject object, List<String> location, List<Violation> violations) {
        this.object = object;
        this.location = location;
        this.violations = violations;
    }

    /** Parses bytes; anything but JSON is an INVALID problem with a {@code json_invalid} violation. */
    public static Json parse(byte[] body) {
        if (body.length == 0) {
            throw invalid(List.of(new Violation("missing", List.of("body"), "Field required", "", "")));
        }
        try {
            return Json.parse(body);
        } catch (JsonException e) {
            Violation violation = new Violation(
                    "json_invalid",
                    List.of("body", Integer.toString(Math.max(0, e.position()))),
                    "JSON decode error",
                    "{}",
                    JsonObject.of("error", e.getMessage()).toString());
            throw invalid("JSON decode error: " + e.getMessage(), List.of(violation));
        }
    }

    /** Starts on a request body that must be an object. */
    public static Fields ofBody(Json body) {
        if (body instanceof JsonObject object) {
            return new Fields(object, List.of("body"), new ArrayList<>());
        }
        throw invalid(List.of(new Violation(
                "model_attributes_type",
                List.of("body"),
                "Input should be a valid dictionary or object to extract fields from",
                body.toString(),
                "")));
    }

    /** Throws one INVALID problem with every violation found so far, here and in nested objects; unread fields count. */
    public void check() {
        collectExtras();
        if (!violations.isEmpty()) {
            throw invalid(violations);
        }
    }

    private void collectExtras() {
        for (String name : object.members().keySet()) {
            if (!known.contains(name)) {
                fail(name, "extra_forbidden", "Extra inputs are not permitted");
            }
        }
        children.forEach(Fields::collectExtras);
    }

    /** Marks fields as read without looking at them: documented as accepted without effect. */
    public Fields accept(String... names) {
        known.addAll(List.of(names));
        return this;
    }

    public boolean has(String name) {
        known.add(name);
        return object.find(name).isPresent();
    }

    public Optional<Json> any(String name) {
        known.add(name);
        return object.find(name);
    }

    public Optional<String> string(String name) {
        return typed(
                name,
                "string_type",
                "Input should be a valid string",
                v -> v instanceof JsonString(String s) ? s : null);
    }

    /** A required string; "" and a violation where it is missing. */
    public String requiredString(String name) {
        require(name);
        return string(name).orElse("");
    }

    public Optional<Boolean> bool(String name) {
        return typed(
                name,
                "bool_type",
                "Input should be a valid boolean",
                v -> v instanceof JsonBoolean(boolean b) ? b : null);
    }

    /** An integer within bounds, both inclusive. */
    public Optional<Integer> integer(String name, int min, int max) {
        Optional<Long> value = longInteger(name);
        if (value.isPresent() && (value.get() < min || value.get() > max)) {
            range(name, min, max);
            return Optional.empty();
        }
        return value.map(Long::intValue);
    }

    public Optional<Long> longInteger(String name) {
        return typed(
                name,
                "int_type",
                "Input should be a valid integer",
                v -> v instanceof JsonNumber n && n.isLong() ? n.toLong() : null);
    }

    /** A finite number within bounds, both inclusive. */
    public Optional<Double> number(String name, double min, double max) {
        Optional<Double> value = typed(
                name,
                "float_type",
                "Input should be a valid number",
                v -> v instanceof JsonNumber n && Double.isFinite(n.toDouble()) ? n.toDouble() : null);
        if (value.isPresent() && (value.get() < min || value.get() > max)) {
            range(name, min, max);
            return Optional.empty();
        }
        return value;
    }

    private void range(String name, Number min, Number max) {
        fail(name, "out_of_range", "Input should be between " + min + " and " + max);
    }

    /** One of some words. */
    public Optional<String> oneOf(String name, List<String> words) {
        Optional<String> value = string(name);
        if (value.isPresent() && !words.contains(value.get())) {
            String expected = expected(words);
            violations.add(new Violation(
                    "enum",
                    at(name),
                    "Input should be " + expected,
                    inputText(name),
                    JsonObject.of("expected", expected).toString()));
            return Optional.empty();
        }
        return value;
    }

    private static String expected(List<String> words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            if (i > 0) {
                text.append(i == words.size() - 1 ? " or " : ", ");
            }
            text.append('\'').append(words.get(i)).append('\'');
        }
        return text.toString();
    }

    /** A nested object; its own unread fields are found by the outermost {@link #check()}. */
    public Optional<Fields> object(String name) {
        return typed(
                        name,
                        "model_type",
                        "Input should be a valid dictionary",
                        v -> v instanceof JsonObject o ? o : null)
                .map(o -> child(o, at(name)));
    }

    /** A nested array of anything. */
    public Optional<JsonArray> array(String name) {
        return typed(name, "list_type", "Input should be a valid list", v -> v instanceof JsonArray a ? a : null);
    }

    /** A nested array of objects, each to be read field by field. */
    public List<Fields> objects(String name) {
        List<Fields> found = new ArrayList<>();
        List<Json> items = array(name).map(JsonArray::items).orElse(List.of());
        for (int i = 0; i < items.size(); i++) {
            List<String> place = append(at(name), Integer.toString(i));
            if (items.get(i) instanceof JsonObject o) {
                found.add(child(o, place));
            } else {
                violations.add(new Violation(
                        "model_type",
                        place,
                        "Input should be a valid dictionary",
                        items.get(i).toString(),
                        ""));
            }
        }
        return found;
    }

    /** A string or an array of strings, as a list. */
    public List<String> strings(String name) {
        return typed(name, "list_type", "Input should be a string or a list of strings", Fields::stringList)
                .orElse(List.of());
    }

    private static List<String> stringList(Json value) {
        if (value instanceof JsonString(String s)) {
            return List.of(s);
        }
        if (!(value instanceof JsonArray array)) {
            return null;
        }
        List<String> list = new ArrayList<>();
        for (Json item : array) {
            if (!(item instanceof JsonString(String s))) {
                return null;
            }
            list.add(s);
        }
        return list;
    }

    /** Adds a {@code missing} violation where the field is absent or null. */
    public Fields require(String name) {
        known.add(name);
        if (object.find(name).isEmpty()) {
            violations.add(new Violation("missing", at(name), "Field required", object.toString(), ""));
        }
        return this;
    }

    /** Adds a violation of the caller's own. */
    public void fail(String name, String type, String message) {
        violations.add(new Violation(type, at(name), message, inputText(name), ""));
    }

    private <T> Optional<T> typed(String name, String type, String message, Function<Json, T> read) {
        known.add(name);
        Optional<Json> value = object.find(name);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        T result = read.apply(value.get());
        if (result == null) {
            fail(name, type, message);
        }
        return Optional.ofNullable(result);
    }

    private Fields child(JsonObject value, List<String> place) {
        Fields fields = new Fields(value, place, violations);
        children.add(fields);
        return fields;
    }

    private List<String> at(String name) {
        return append(location, name);
    }

    private static List<String> append(List<String> path, String name) {
        List<String> longer = new ArrayList<>(path);
        longer.add(name);
        return longer;
    }

    private String inputText(String name) {
        Json value = object.members().get(name);
        String text = value == null ? "" : value.toString();
        return text.length() > 1000 ? "" : text;
    }

    /** The message names the first few, since SDKs show nothing else. */
    private static SkulkException invalid(List<Violation> violations) {
        String named = violations.stream()
                .limit(MOST_NAMED)
                .map(violation -> violation.message() + ": " + String.join(".", violation.location()))
                .collect(Collectors.joining("; "));
        int more = violations.size() - MOST_NAMED;
        return invalid(more > 0 ? named + "; and " + more + " more" : named, violations);
    }

    private static SkulkException invalid(String message, List<Violation> violations) {
        return new SkulkException(
                new Problem(Problem.Kind.INVALID, "invalid_body", message, violations, Optional.empty()));
    }
}
