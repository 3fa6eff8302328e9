package skulk.http.openai;

import skulk.api.http.Errors;
import skulk.api.http.Response;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;

/** How failures look in this dialect (contract sections 0 and 3). */
final class Failures {
    private Failures() {}

    /** A problem found before anything ran. A 422 carries both the detail list and the envelope, because SDKs show only the latter. */
    static Response refused(Problem problem) {
        Response response = Errors.response(problem);
        if (problem.violations().isEmpty()) {
            return response;
        }
        JsonObject both = JsonObject.builder()
                .putAll(((JsonObject) skulk.api.json.Json.parse(response.body())).members())
                .putAll(Errors.envelope(problem).members())
                .build();
        return Response.json(response.status(), both);
    }

    /** A generation that failed before a byte was sent: the client's own faults keep their status, all others are a 500 (runbook). */
    static Response failed(Problem problem) {
        Kind kind = kind(problem);
        String type = kind == Kind.USER_ERROR ? "invalid_request_error" : kind.reason();
        Response response = Response.json(kind.status(), Errors.envelope(problem.message(), type, kind.status()));
        return problem.retryAfter()
                .map(time -> response.header("Retry-After", Long.toString(Math.max(1, time.toSeconds()))))
                .orElse(response);
    }

    /** The envelope of a failure in the middle of a stream. */
    static JsonObject inStream(Problem problem) {
        return switch (kind(problem)) {
            case USER_ERROR -> Errors.envelope(problem.message(), "invalid_request_error", 400);
            case OVERLOADED -> Errors.envelope(problem.message(), "rate_limit_error", 429);
            default -> Errors.envelope(problem.message(), "InternalServerError", 500);
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
