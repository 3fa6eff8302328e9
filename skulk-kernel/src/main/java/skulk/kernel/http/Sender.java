package skulk.kernel.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import skulk.api.http.Response;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;
import skulk.kernel.security.Authenticator;
import skulk.kernel.security.KeyAuthenticator;

/** What a request says of its sender, and what senders that may not are told. Pure. */
final class Sender {
    private static final HeaderName API_KEY = HeaderNames.create("x-api-key");
    private static final HeaderName SITE = HeaderNames.create("Sec-Fetch-Site");
    /** What proxies add to requests of others. */
    private static final List<HeaderName> FORWARDED = List.of(
            HeaderNames.create("Forwarded"), HeaderNames.create("X-Forwarded-For"), HeaderNames.create("X-Real-IP"));

    private Sender() {}

    static Authenticator.Credentials of(ServerRequest request) {
        boolean known =
                request.remotePeer().address() instanceof InetSocketAddress socket && socket.getAddress() != null;
        InetSocketAddress remote =
                known ? (InetSocketAddress) request.remotePeer().address() : new InetSocketAddress(0);
        Optional<String> bearer = request.headers()
                .first(HeaderNames.AUTHORIZATION)
                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                .map(value -> value.substring(7).strip());
        return new Authenticator.Credentials(
                new Authenticator.Remote(
                        known
                                ? remote.getAddress().getHostAddress()
                                : request.remotePeer().host(),
                        known && remote.getAddress().isLoopbackAddress(),
                        FORWARDED.stream().anyMatch(request.headers()::contains)),
                bearer.or(() -> request.headers().first(API_KEY).map(String::strip))
                        .filter(key -> !key.isEmpty()),
                cookie(request),
                new Authenticator.Page(
                        request.prologue().method().text(),
                        Optional.ofNullable(request.authority()).orElse(""),
                        request.headers().first(HeaderNames.ORIGIN),
                        request.headers().first(SITE)));
    }

    private static Optional<String> cookie(ServerRequest request) {
        String begin = KeyAuthenticator.COOKIE + "=";
        for (String header : request.headers().values(HeaderNames.COOKIE)) {
            for (String pair : header.split(";")) {
                String cookie = pair.strip();
                if (cookie.startsWith(begin) && cookie.length() > begin.length()) {
                    return Optional.of(cookie.substring(begin.length()));
                }
            }
        }
        return Optional.empty();
    }

    /** What an allowed caller is told where a route needs a scope that it does not have. */
    static Optional<Problem> lacking(Authenticator.Allowed allowed, Scope scope) {
        if (allowed.caller().scopes().contains(scope)) {
            return Optional.empty();
        }
        String message = allowed.limitation().isEmpty()
                ? "The API key " + allowed.caller().id() + " lacks the scope "
                        + scope.name().toLowerCase(Locale.ROOT)
                : allowed.limitation();
        return Optional.of(Problem.of(Problem.Kind.FORBIDDEN, message));
    }

    /** A feature's error with the headers that HTTP asks for: how to authenticate, and when to come again. */
    static Response complete(Response response, Problem problem) {
        Response completed = response;
        if (problem.kind() == Problem.Kind.UNAUTHENTICATED && !has(response, "WWW-Authenticate")) {
            completed = completed.header("WWW-Authenticate", "Bearer realm=\"skulk\"");
        }
        if (problem.retryAfter().isPresent() && !has(response, "Retry-After")) {
            completed = completed.header(
                    "Retry-After",
                    Long.toString(Math.max(1, problem.retryAfter().get().toSeconds())));
        }
        return completed;
    }

    private static boolean has(Response response, String header) {
        return response.headers().keySet().stream().anyMatch(name -> name.equalsIgnoreCase(header));
    }
}
