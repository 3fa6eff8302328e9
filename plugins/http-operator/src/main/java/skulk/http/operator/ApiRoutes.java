package skulk.http.operator;

import java.util.List;
import java.util.Map;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;

/** The description of the API, as OpenAPI and as a page to read; the page needs nothing from outside the node. */
final class ApiRoutes {
    private final byte[] document;
    private final byte[] page;

    ApiRoutes(ApiDescription description) {
        document = description.document().toBytes();
        page = Resources.bytes("docs.html");
    }

    List<Route> routes() {
        Route.Handler html = e -> e.respond(new Response(200, "text/html; charset=utf-8", page, Map.of()));
        return List.of(
                new Route(
                        "GET",
                        "/api/openapi.json",
                        Scope.OPEN,
                        e -> e.respond(new Response(200, "application/json", document, Map.of()))),
                new Route("GET", "/api/docs", Scope.OPEN, html),
                new Route("GET", "/api/redoc", Scope.OPEN, html));
    }
}
