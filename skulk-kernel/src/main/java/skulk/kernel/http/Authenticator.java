package skulk.kernel.http;

import java.util.Optional;
import skulk.api.http.Exchange;
import skulk.api.problem.Problem;

/** Decides who a caller is. Asked once per request, on its thread, before anything of the request is looked at; must not block for long. */
@FunctionalInterface
public interface Authenticator {
    Verdict authenticate(Credentials credentials);

    /**
     * What a request says of its sender.
     *
     * @param remoteAddress the peer's IP address
     * @param loopback whether that is this machine
     * @param key of {@code Authorization: Bearer} or {@code x-api-key}
     */
    record Credentials(String remoteAddress, boolean loopback, Optional<String> key) {}

    /** The answer; the route's scope is checked against an allowed caller's afterwards. */
    sealed interface Verdict {}

    record Allowed(Exchange.Caller caller) implements Verdict {}

    /** @param problem UNAUTHENTICATED, or OVERLOADED where a caller tries too often */
    record Refused(Problem problem) implements Verdict {}
}
