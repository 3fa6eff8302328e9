package skulk.http.operator;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Violation;
import skulk.api.problem.SkulkException;

/** Reading of request bodies beyond {@link Fields}. */
final class Bodies {
    private Bodies() {}

    /** The body's fields; those named may be spelled in snake_case as well (contract section 0). */
    static Fields camel(Exchange exchange, String... names) {
        Json body = exchange.json();
        return Fields.ofBody(body instanceof JsonObject object ? respelled(object, names) : body);
    }

    private static JsonObject respelled(JsonObject object, String... names) {
        SequencedMap<String, Json> members = new LinkedHashMap<>();
        for (Map.Entry<String, Json> member : object.members().entrySet()) {
            String name = member.getKey();
            for (String camel : names) {
                if (name.equals(Records.snake(camel)) && !object.has(camel)) {
                    name = camel;
                }
            }
            members.put(name, member.getValue());
        }
        return new JsonObject(members);
    }

    /** Reads a contract shape; what does not fit is a 422 that says where. */
    static <T> T shape(Json value, Class<T> type, String field) {
        try {
            return Records.fromJson(value, type);
        } catch (JsonException | IllegalArgumentException | NullPointerException e) {
            Violation violation =
                    new Violation("model_type", List.of("body", field), String.valueOf(e.getMessage()), "", "");
            throw new SkulkException(new Problem(
                    Problem.Kind.INVALID,
                    "invalid_body",
                    field + ": " + e.getMessage(),
                    List.of(violation),
                    Optional.empty()));
        }
    }

    /** A model id, or a 400 that begins with the given words. */
    static ModelId model(String text, String complaint) {
        try {
            return new ModelId(text);
        } catch (IllegalArgumentException e) {
            throw new SkulkException(Problem.Kind.USER_ERROR, complaint + e.getMessage());
        }
    }
}
