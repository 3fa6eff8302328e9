package skulk.api.problem;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Why something could not be done, ready to be shown to a client in any dialect.
 *
 * @param kind decides the HTTP status
 * @param code a short machine-readable word such as {@code instance_lost} or {@code context_length_exceeded}; "" where the kind says it all
 * @param message one or two sentences that name the field, the node or the number
 * @param violations for {@link Kind#INVALID}: every field that is wrong; otherwise empty
 * @param retryAfter when trying again makes sense
 */
public record Problem(
        Kind kind, String code, String message, List<Violation> violations, Optional<Duration> retryAfter) {

    /** The kinds of failure and the HTTP status each one has, in this one place. */
    public enum Kind {
        /** The request is well-formed but cannot be served as asked. */
        USER_ERROR(400, "Bad Request"),
        /** No or a wrong API key. */
        UNAUTHENTICATED(401, "Unauthorized"),
        /** A key without the scope that the route needs. */
        FORBIDDEN(403, "Forbidden"),
        NOT_FOUND(404, "Not Found"),
        /** The client or a reader of the body was too slow. */
        TIMEOUT(408, "Request Timeout"),
        /** The state does not allow it now, and waiting does not help. */
        CONFLICT(409, "Conflict"),
        /** The body is larger than the limit. */
        TOO_LARGE(413, "Content Too Large"),
        /** The body or query does not have the shape that the route asks for; see {@link Problem#violations()}. */
        INVALID(422, "Unprocessable Entity"),
        /** A queue or a rate limit is full; try again later. */
        OVERLOADED(429, "Too Many Requests"),
        /** Broken in Skulk, or lost under way; the request itself was fine. */
        INTERNAL(500, "Internal Server Error"),
        /** It will work once something has settled, started or come back. */
        NOT_READY(503, "Service Unavailable"),
        /** Memory or disk is exhausted. */
        OUT_OF_RESOURCES(507, "Insufficient Storage");

        private final int status;
        private final String reason;

        Kind(int status, String reason) {
            this.status = status;
            this.reason = reason;
        }

        /** The HTTP status code. */
        public int status() {
            return status;
        }

        /** The HTTP reason phrase, the {@code type} of the error envelope (contract section 0). */
        public String reason() {
            return reason;
        }
    }

    /**
     * One wrong field of a body or query.
     *
     * @param type the contract's word: {@code missing}, {@code enum}, {@code json_invalid}, {@code extra_forbidden}, {@code string_type}, …
     * @param location {@code body} or {@code query}, then the path of names and indexes to the field
     * @param message what should have been there
     * @param input the offending value as JSON text, or "" where there is none
     * @param context further facts as JSON object text, or ""
     */
    public record Violation(String type, List<String> location, String message, String input, String context) {
        public Violation {
            location = List.copyOf(location);
        }
    }

    public Problem {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
        violations = List.copyOf(violations);
    }

    public static Problem of(Kind kind, String message) {
        return new Problem(kind, "", message, List.of(), Optional.empty());
    }

    public static Problem of(Kind kind, String code, String message) {
        return new Problem(kind, code, message, List.of(), Optional.empty());
    }

    /** This problem with a time after which trying again makes sense. */
    public Problem retryAfter(Duration time) {
        return new Problem(kind, code, message, violations, Optional.of(time));
    }
}
