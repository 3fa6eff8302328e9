package skulk.kernel.http;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger.Level;
import java.net.SocketAddress;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import skulk.api.http.Errors;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.http.Route.Scope;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.security.Authenticator;

/**
 * The one handler behind the server: request id, cross-origin rules, authentication, routing, and every error as its feature writes it. Routes are replaced
 * here without touching the server.
 */
final class Entrance implements Handler, DirectHandler {
    private static final System.Logger LOG = System.getLogger(Entrance.class.getName());
    private static final HeaderName REQUEST_ID = HeaderNames.create("X-Request-Id");
    private static final Pattern SAFE_ID = Pattern.compile("[A-Za-z0-9._-]{1,128}");
    private static final Exchange.Caller NOBODY = new Exchange.Caller("", "", Set.of());

    private final HttpOptions options;
    private final GuardSelector guards;
    private final Cors cors;
    private volatile Optional<RouteTable> routes = Optional.empty();
    private volatile Authenticator authenticator;

    Entrance(HttpOptions options, GuardSelector guards, Authenticator authenticator) {
        this.options = options;
        this.guards = guards;
        this.cors = new Cors(options.origins());
        this.authenticator = authenticator;
    }

    /** Answers with these routes from the next request on; before the first call every request is told to come again. */
    void routes(RouteTable next) {
        routes = Optional.of(next);
    }

    void authenticator(Authenticator next) {
        authenticator = next;
    }

    @Override
    public void handle(ServerRequest request, ServerResponse response) {
        SocketAddress remote = request.remotePeer().address();
        Optional<Guard> guard = guards.guard(remote);
        guard.ifPresent(Guard::requestBegins);
        String id = request.headers()
                .first(REQUEST_ID)
                .filter(given -> SAFE_ID.matcher(given).matches())
                .orElseGet(() -> UUID.randomUUID().toString());
        response.header(REQUEST_ID, id);
        cors.headers(request.headers().first(HeaderNames.ORIGIN))
                .forEach((name, value) -> response.header(HeaderNames.create(name), value));
        HelidonExchange exchange =
                new HelidonExchange(request, response, new HelidonExchange.Setting(options, guard, Map.of(), NOBODY));
        try {
            if (request.prologue().method().text().equals("OPTIONS")) {
                exchange.respond(cors.preflight(request.headers().first(HeaderNames.ACCESS_CONTROL_REQUEST_HEADERS)));
            } else {
                exchange = route(request, response, guard, id);
            }
            exchange.discardBody();
        } finally {
            boolean bodyRead = exchange.bodyRead();
            guard.ifPresent(g -> g.requestEnds(request.id(), bodyRead));
        }
        if (!exchange.responded()) {
            throw new CloseConnectionException("the client did not wait for a response");
        }
        if (exchange.closes() || request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
            if (response instanceof RoutingResponse whole) {
                whole.commit(); // writes the last chunk of a stream
            }
            throw new CloseConnectionException(
                    "announced to the client"); // Helidon itself waits for the client to do it
        }
    }

    private HelidonExchange route(ServerRequest request, ServerResponse response, Optional<Guard> guard, String id) {
        HelidonExchange plain =
                new HelidonExchange(request, response, new HelidonExchange.Setting(options, guard, Map.of(), NOBODY));
        if (routes.isEmpty()) {
            plain.respond(Errors.response(Problem.of(Problem.Kind.NOT_READY, "The node is starting")
                    .retryAfter(java.time.Duration.ofSeconds(1))));
            return plain;
        }
        RouteTable.Match match;
        try {
            match = routes.get()
                    .match(
                            request.prologue().method().text(),
                            request.prologue().uriPath().rawPath());
        } catch (SkulkException e) {
            plain.respond(Errors.response(e.problem()));
            return plain;
        }
        return switch (match) {
            case RouteTable.Found found -> run(request, response, guard, new Hit(found, id));
            case RouteTable.WrongMethod wrong -> {
                plain.respond(Response.json(405, JsonObject.of("detail", "Method Not Allowed"))
                        .header("Allow", String.join(", ", wrong.allowed())));
                yield plain;
            }
            case RouteTable.Nothing nothing -> {
                plain.respond(Response.json(404, JsonObject.of("detail", "Not Found")));
                yield plain;
            }
        };
    }

    private record Hit(RouteTable.Found found, String id) {
        Response error(Problem problem) {
            return Sender.complete(found.mount().feature().error(problem), problem);
        }
    }

    private HelidonExchange run(ServerRequest request, ServerResponse response, Optional<Guard> guard, Hit hit) {
        Exchange.Caller caller = NOBODY;
        Optional<Problem> refusal = Optional.empty();
        Scope scope = hit.found().route().scope();
        if (scope != Scope.OPEN) {
            switch (authenticator.authenticate(Sender.of(request))) {
                case Authenticator.Refused refused -> refusal = Optional.of(refused.problem());
                case Authenticator.Allowed allowed -> {
                    caller = allowed.caller();
                    refusal = Sender.lacking(allowed, scope);
                }
            }
        }
        HelidonExchange exchange = new HelidonExchange(
                request,
                response,
                new HelidonExchange.Setting(options, guard, hit.found().parameters(), caller));
        if (refusal.isPresent()) {
            exchange.respond(hit.error(refusal.get()));
            return exchange;
        }
        hit.found().mount().enter();
        try {
            call(exchange, hit);
        } finally {
            hit.found().mount().leave();
        }
        return exchange;
    }

    private void call(HelidonExchange exchange, Hit hit) {
        try {
            hit.found().route().handler().handle(exchange);
            if (!exchange.responded()) {
                throw new IllegalStateException(
                        "the handler of " + hit.found().route().path() + " did not respond");
            }
        } catch (EventStream.ClientGone e) {
            LOG.log(Level.DEBUG, "Request {0}: {1}", hit.id(), e.getMessage());
        } catch (SkulkException e) {
            fail(exchange, hit, e.problem(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(exchange, hit, Problem.of(Problem.Kind.NOT_READY, "The node is stopping"), e);
        } catch (Exception | LinkageError | StackOverflowError e) {
            LOG.log(
                    Level.ERROR,
                    "Request " + hit.id() + " (" + hit.found().route().path() + ") failed",
                    e);
            fail(
                    exchange,
                    hit,
                    Problem.of(Problem.Kind.INTERNAL, "Internal error; the node's log has it as request " + hit.id()),
                    e);
        } finally {
            exchange.finish();
        }
    }

    private void fail(HelidonExchange exchange, Hit hit, Problem problem, Throwable cause) {
        if (exchange.responded()) {
            LOG.log(Level.WARNING, "Request " + hit.id() + " failed after its response began", cause);
            return;
        }
        try {
            exchange.respond(hit.error(problem));
        } catch (EventStream.ClientGone e) {
            LOG.log(Level.DEBUG, "Request {0}: the client did not wait for its error", hit.id());
        }
    }

    /** Refusals of the server itself: a request that is not HTTP, a head that is too long, a body that is too large or compressed. */
    @Override
    public TransportResponse handle(
            TransportRequest request, EventType event, Status status, ServerResponseHeaders headers, String message) {
        // handlers' faults never come here: what Helidon takes for an internal error is a request it stumbled over
        Status shown = status.code() == 500 ? Status.BAD_REQUEST_400 : status;
        Optional<String> encoding =
                request.headers().first(HeaderNames.CONTENT_ENCODING).filter(coding -> shown.code() == 400);
        Problem problem = Problem.of(
                kind(shown.code()),
                encoding.map(coding ->
                                "Content-Encoding '%s' is not supported: send the body as it is, without that header"
                                        .formatted(coding.length() > 20 ? coding.substring(0, 20) : coding))
                        .orElse(
                                shown.code() == 413
                                        ? "The body is larger than the limit"
                                        : "The request is not valid HTTP"));
        Response response = new Response(
                shown.code(), "application/json", Errors.response(problem).body(), Map.of());
        Optional<RouteTable> table = routes;
        if ((shown.code() == 413 || encoding.isPresent()) && table.isPresent()) {
            try {
                if (table.get().match(request.method(), request.path()) instanceof RouteTable.Found found) {
                    response = Sender.complete(found.mount().feature().error(problem), problem);
                }
            } catch (SkulkException e) {
                LOG.log(Level.DEBUG, "No route for the path of a refused request", e);
            }
        }
        TransportResponse.Builder builder = TransportResponse.builder()
                .status(Status.create(response.status()))
                .headers(headers)
                .header(HeaderValues.CONNECTION_CLOSE)
                .header(HeaderNames.CONTENT_TYPE, response.contentType())
                .keepAlive(false)
                .entity(response.body());
        return builder.build();
    }

    private static Problem.Kind kind(int status) {
        return EnumSet.allOf(Problem.Kind.class).stream()
                .filter(kind -> kind.status() == status)
                .findFirst()
                .orElse(status >= 500 ? Problem.Kind.INTERNAL : Problem.Kind.USER_ERROR);
    }

    /** All events that Helidon can raise before a handler runs. */
    static List<EventType> events() {
        return List.of(EventType.values());
    }
}
