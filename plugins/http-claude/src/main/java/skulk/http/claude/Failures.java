package skulk.http.claude;

import skulk.api.http.Errors;
import skulk.api.http.Response;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;

/**
 * How failures look in this dialect: {@code {"type":"error","error":{type, message, param, code}}}, which is Claude's shape with the members of the
 * contract's envelope (section 0); a 422 has the contract's detail list beside it.
 */
final class Failures {
    private Failures() {}

    /** A problem found before anything ran. */
    static Response refused(Problem problem) {
        return response(problem, problem.kind());
    }

    /** A generation that failed before a byte was sent: the client's own faults keep their status, all others are a 500 (runbook). */
    static Response failed(Problem problem) {
        return response(problem, kind(problem));
    }

    /** The data of an error event in the middle of a stream. */
    static JsonObject.Builder inStream(Problem problem) {
        return JsonObject.builder().put("error", error(problem.message(), kind(problem)));
    }

    private static Response response(Problem problem, Kind kind) {
        JsonObject.Builder body =
                JsonObject.builder().put("type", "error").put("error", error(problem.message(), kind));
        Response plain = Errors.response(problem);
        if (!problem.violations().isEmpty()) {
            body.putAll(((JsonObject) Json.parse(plain.body())).members());
        }
        Response response = Response.json(kind.status(), body.build());
        return plain.headers().containsKey("Retry-After")
                ? response.header("Retry-After", plain.headers().get("Retry-After"))
                : response;
    }

    private static JsonObject error(String message, Kind kind) {
        return JsonObject.builder()
                .put("type", type(kind))
                .put("message", message)
                .put("param", null)
                .put("code", kind.status())
                .build();
    }

    /** Claude's word for a kind of failure. */
    private static String type(Kind kind) {
        return switch (kind) {
            case USER_ERROR, INVALID, CONFLICT -> "invalid_request_error";
            case UNAUTHENTICATED -> "authentication_error";
            case FORBIDDEN -> "permission_error";
            case NOT_FOUND -> "not_found_error";
            case TOO_LARGE -> "request_too_large";
            case OVERLOADED -> "rate_limit_error";
            case TIMEOUT -> "timeout_error";
            case NOT_READY -> "overloaded_error";
            case INTERNAL, OUT_OF_RESOURCES -> "api_error";
        };
    }

    private static Kind kind(Problem problem) {
        return switch (problem.kind()) {
            case USER_ERROR, INVALID -> Kind.USER_ERROR;
            case OVERLOADED -> Kind.OVERLOADED;
            default -> Kind.INTERNAL;
        };
    }
}
