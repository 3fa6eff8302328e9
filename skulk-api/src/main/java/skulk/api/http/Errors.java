package skulk.api.http;

import java.util.ArrayList;
import java.util.List;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** The contract's own error bodies (section 0); a dialect with another shape builds its own from the {@link Problem}. */
public final class Errors {
    private Errors() {}

    /** {@code {"error":{"message","type","param":null,"code"}}}, or the 422 detail list for {@link Problem.Kind#INVALID} with violations. */
    public static Response response(Problem problem) {
        Json body = problem.violations().isEmpty() ? envelope(problem) : detail(problem);
        Response response = Response.json(problem.kind().status(), body);
        return problem.retryAfter()
                .map(time -> response.header("Retry-After", Long.toString(Math.max(1, time.toSeconds()))))
                .orElse(response);
    }

    /** The error envelope. */
    public static JsonObject envelope(Problem problem) {
        return envelope(
                problem.message(), problem.kind().reason(), problem.kind().status());
    }

    /** The error envelope with a type of its own. */
    public static JsonObject envelope(String message, String type, int code) {
        return JsonObject.of(
                "error",
                JsonObject.builder()
                        .put("message", message)
                        .put("type", type)
                        .put("param", null)
                        .put("code", code)
                        .build());
    }

    private static Json detail(Problem problem) {
        List<Json> list = new ArrayList<>();
        for (Problem.Violation violation : problem.violations()) {
            JsonObject.Builder entry = JsonObject.builder()
                    .put("type", violation.type())
                    .put("loc", location(violation.location()))
                    .put("msg", violation.message())
                    .put("input", violation.input().isEmpty() ? Json.NULL : Json.parse(violation.input()));
            if (!violation.context().isEmpty()) {
                entry.put("ctx", Json.parse(violation.context()));
            }
            list.add(entry.build());
        }
        return JsonObject.of("detail", list);
    }

    private static List<Object> location(List<String> path) {
        List<Object> parts = new ArrayList<>();
        for (String part : path) {
            boolean index =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            parts.add(index ? (Object) Integer.parseInt(part) : part);
        }
        return parts;
    }
}
