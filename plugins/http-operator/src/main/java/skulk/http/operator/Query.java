package skulk.http.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import skulk.api.http.Exchange;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Violation;
import skulk.api.problem.SkulkException;

/** Reads query parameters and collects what is wrong with them, as {@link skulk.api.http.Fields} does with bodies; call {@link #check()} at the end. */
final class Query {
    private final Exchange exchange;
    private final List<Violation> violations = new ArrayList<>();

    Query(Exchange exchange) {
        this.exchange = exchange;
    }

    /** "" and a violation where it is missing. */
    String required(String name) {
        Optional<String> value = exchange.queryFirst(name);
        if (value.isEmpty()) {
            fail(name, "missing", "Field required", "null", "");
        }
        return value.orElse("");
    }

    /** One of some constants by their wire words; the fallback where it is absent or wrong. */
    <T> T word(String name, List<T> constants, T fallback) {
        Optional<String> value = exchange.queryFirst(name);
        if (value.isEmpty()) {
            return fallback;
        }
        Optional<T> found =
                constants.stream().filter(c -> c.toString().equals(value.get())).findFirst();
        if (found.isEmpty()) {
            String expected = constants.stream().map(c -> "'" + c + "'").collect(Collectors.joining(" or "));
            String context = JsonObject.of("expected", expected).toString();
            fail(
                    name,
                    "enum",
                    "Input should be " + expected,
                    Json.of(value.get()).toString(),
                    context);
        }
        return found.orElse(fallback);
    }

    /** An integer of at least a minimum; the fallback where it is absent or wrong. */
    int integer(String name, int fallback, int min) {
        Optional<String> value = exchange.queryFirst(name);
        if (value.isEmpty()) {
            return fallback;
        }
        String input = Json.of(value.get()).toString();
        try {
            int number = Integer.parseInt(value.get());
            if (number >= min) {
                return number;
            }
            fail(name, "greater_than_equal", "Input should be greater than or equal to " + min, input, "");
        } catch (NumberFormatException e) {
            fail(
                    name,
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                    input,
                    "");
        }
        return fallback;
    }

    void check() {
        if (!violations.isEmpty()) {
            Violation first = violations.getFirst();
            String message = first.message() + ": " + String.join(".", first.location());
            throw new SkulkException(
                    new Problem(Problem.Kind.INVALID, "invalid_query", message, violations, Optional.empty()));
        }
    }

    private void fail(String name, String type, String message, String input, String context) {
        violations.add(new Violation(type, List.of("query", name), message, input, context));
    }
}
