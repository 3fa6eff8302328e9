package skulk.http.ollama;

import skulk.api.http.Errors;
import skulk.api.http.Response;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** How failures look in this dialect. */
final class Failures {
    private Failures() {}

    /** Ollama's own shape, where {@code error} is a text; a 422 has the contract's detail list beside it. */
    static Response stock(Problem problem) {
        JsonObject.Builder body = JsonObject.builder().put("error", problem.message());
        Response plain = Errors.response(problem);
        if (!problem.violations().isEmpty()) {
            body.putAll(((JsonObject) Json.parse(plain.body())).members());
        }
        return new Response(plain.status(), plain.contentType(), body.build().toBytes(), plain.headers());
    }

    /** A generation that failed before a byte was sent: the client's own faults keep their status, all others are a 500 (runbook). */
    static SkulkException failed(Problem problem) {
        Kind kind =
                switch (problem.kind()) {
                    case USER_ERROR, INVALID -> Kind.USER_ERROR;
                    case OVERLOADED -> Kind.OVERLOADED;
                    default -> Kind.INTERNAL;
                };
        return new SkulkException(
                new Problem(kind, problem.code(), problem.message(), java.util.List.of(), problem.retryAfter()));
    }
}
