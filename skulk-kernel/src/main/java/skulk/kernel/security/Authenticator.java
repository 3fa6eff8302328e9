package skulk.kernel.security;

import java.util.Optional;
import skulk.api.http.Exchange;
import skulk.api.problem.Problem;

/** Decides who a caller is. Asked once per request, on its thread, before anything of the request's body is looked at. */
@FunctionalInterface
public interface Authenticator {
    Verdict authenticate(Credentials credentials);

    /**
     * What a request says of its sender.
     *
     * @param remote where it comes from
     * @param key of {@code Authorization: Bearer} or {@code x-api-key}
     * @param cookie of the name {@value KeyAuthenticator#COOKIE}
     * @param page what a browser says of the page that sends it
     */
    record Credentials(Remote remote, Optional<String> key, Optional<String> cookie, Page page) {}

    /**
     * The other end of the connection.
     *
     * @param address the peer's IP address
     * @param loopback whether that is this machine
     * @param forwarded whether a proxy says that it speaks for somebody else
     */
    record Remote(String address, boolean loopback, boolean forwarded) {}

    /**
     * The part of a request that a browser fills in and that no page can forge.
     *
     * @param method upper case
     * @param host of the header {@code Host} or {@code :authority}; "" where it is absent
     * @param origin of the header {@code Origin}
     * @param site of the header {@code Sec-Fetch-Site}
     */
    record Page(String method, String host, Optional<String> origin, Optional<String> site) {
        /** Whether the method changes nothing. */
        boolean reads() {
            return method.equals("GET") || method.equals("HEAD") || method.equals("OPTIONS");
        }
    }

    /** The answer; the route's scope is checked against an allowed caller's afterwards. */
    sealed interface Verdict {}

    /** @param limitation why the caller may do less than others of its kind, as a sentence; "" where it may not */
    record Allowed(Exchange.Caller caller, String limitation) implements Verdict {
        public Allowed(Exchange.Caller caller) {
            this(caller, "");
        }
    }

    /** @param problem UNAUTHENTICATED, FORBIDDEN for a page that may not call, or OVERLOADED where a caller tries too often */
    record Refused(Problem problem) implements Verdict {}
}
