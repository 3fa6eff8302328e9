package skulk.http.operator;

import java.util.List;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A browser's session: the key that a request brings in its header, in a cookie from then on, which no script can read and no other site's page can use. There
 * is nothing to keep for it here, so that it counts on every node and ends with the key.
 */
final class SessionRoutes {
    private static final String COOKIE = "skulk_key";
    private static final String BEARER = "Bearer ";

    List<Route> routes() {
        return List.of(
                new Route("POST", "/login", Scope.INFER, this::begin),
                new Route("DELETE", "/login", Scope.OPEN, this::end));
    }

    private void begin(Exchange exchange) {
        Exchange.Caller caller = exchange.caller();
        String key = exchange.header("Authorization")
                .filter(value -> value.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                .map(value -> value.substring(BEARER.length()).trim())
                .or(() -> exchange.header("x-api-key"))
                .orElse("");
        // whoever may call without a key has an address for an id
        if (caller.id().equals(caller.remoteAddress())) {
            throw new SkulkException(Problem.of(
                    Problem.Kind.UNAUTHENTICATED,
                    "invalid_api_key",
                    "An API key that is known here is needed: send it as 'Authorization: Bearer …'"));
        }
        if (!key.matches("[!-~&&[^\",;\\\\]]+")) { // RFC 6265, section 4.1.1
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "This API key has characters that no cookie can carry: send it as a header");
        }
        JsonObject who = JsonObject.of("id", caller.id())
                .with(
                        "scopes",
                        caller.scopes().stream()
                                .filter(scope -> scope != Scope.OPEN)
                                .sorted()
                                .map(scope -> scope.name().toLowerCase(java.util.Locale.ROOT))
                                .toList());
        exchange.respond(Response.json(200, who).header("Set-Cookie", cookie(exchange, key)));
    }

    private void end(Exchange exchange) {
        exchange.respond(
                Response.json(200, JsonObject.EMPTY).header("Set-Cookie", cookie(exchange, "") + "; Max-Age=0"));
    }

    /** Browsers say in the origin how they came. */
    private static String cookie(Exchange exchange, String key) {
        boolean secure = exchange.header("Origin").orElse("").startsWith("https://");
        return COOKIE + "=" + key + "; Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "");
    }
}
