package skulk.dashboard;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import skulk.api.HttpFeature;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * The dashboard's pages and files. They hold no secrets and are open to everybody; what they show comes from the API, which asks for the key that the
 * page keeps.
 */
final class DashboardFeature implements HttpFeature {
    private static final List<String> PAGES = List.of("/", "/cluster", "/model-store", "/chat", "/operator");

    /** Nothing but this node is ever asked for anything; no inline script runs. */
    private static final String POLICY =
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

    private final Assets assets;

    DashboardFeature(Assets assets) {
        this.assets = assets;
    }

    @Override
    public String name() {
        return "dashboard";
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String page : PAGES) {
            routes.add(new Route("GET", page, Scope.OPEN, e -> serve(e, "index.html")));
        }
        routes.add(new Route("GET", "/assets/{file+}", Scope.OPEN, e -> serve(e, e.path("file"))));
        return routes;
    }

    /** Browsers keep the files but ask each time whether they changed, so that an upgraded node never runs half of an old page. */
    private void serve(Exchange exchange, String name) {
        Asset asset = assets.find(name)
                .orElseThrow(() -> new SkulkException(Problem.Kind.NOT_FOUND, "No such file: " + name));
        Map<String, String> headers = Map.of(
                "ETag",
                asset.tag(),
                "Cache-Control",
                "no-cache",
                "Content-Security-Policy",
                POLICY,
                "X-Content-Type-Options",
                "nosniff");
        boolean known = exchange.header("If-None-Match")
                .filter(tags -> tags.contains(asset.tag()))
                .isPresent();
        exchange.respond(
                known
                        ? new Response(304, asset.contentType(), new byte[0], headers)
                        : new Response(200, asset.contentType(), asset.bytes(), headers));
    }
}
