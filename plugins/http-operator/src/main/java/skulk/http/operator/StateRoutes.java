package skulk.http.operator;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import skulk.api.Cluster;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.NodeFacts;

/** What the cluster and this node are (contract sections 1 and 1.5): state, events, liveness, metrics. */
final class StateRoutes {
    /** Events are sent in pieces of about this many characters: each piece is one flush. */
    private static final int PIECE = 32_768;

    private final Cluster cluster;

    StateRoutes(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/state", Scope.INFER, e -> e.respond(StateJson.of(cluster.view()))),
                new Route(
                        "GET",
                        "/node_id",
                        Scope.OPEN,
                        e -> e.respond(Json.of(cluster.view().self().value()))),
                new Route("GET", "/node/identity", Scope.INFER, this::identity),
                new Route("GET", "/events", Scope.INFER, this::events),
                new Route("GET", "/livez", Scope.OPEN, e -> e.respond(JsonObject.of("status", "ok"))),
                new Route("GET", "/readyz", Scope.OPEN, this::ready),
                new Route("GET", "/metrics", Scope.INFER, this::metrics));
    }

    private void identity(Exchange exchange) {
        NodeFacts node = cluster.call(new Operation.ReadNode());
        exchange.respond(JsonObject.builder()
                .put("nodeId", node.nodeId().value())
                .put("hostname", node.hostname())
                .put("ipAddress", node.ipAddress())
                .build());
    }

    private void ready(Exchange exchange) {
        Operation.Readiness readiness = cluster.call(new Operation.ReadReadiness());
        JsonObject body = JsonObject.builder()
                .put("ready", readiness.ready())
                .put("reasons", readiness.reasons())
                .build();
        exchange.respond(Response.json(readiness.ready() ? 200 : 503, body));
    }

    private void metrics(Exchange exchange) {
        String text = cluster.call(new Operation.ReadMetrics());
        exchange.respond(new Response(
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                text.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                Map.of()));
    }

    /** A JSON array of any length without ever holding it whole. */
    private void events(Exchange exchange) {
        try (Stream<Json> log = cluster.call(new Operation.ReadEvents());
                EventStream out = exchange.events(EventStream.Kind.JSON)) {
            StringBuilder piece = new StringBuilder("[");
            String separator = "";
            for (Iterator<Json> all = log.iterator(); all.hasNext(); separator = ",") {
                piece.append(separator).append(all.next());
                if (piece.length() > PIECE) {
                    out.send(piece.toString());
                    piece.setLength(0);
                }
            }
            out.send(piece.append(']').toString());
        }
    }
}
