package skulk.http.operator;

import java.util.ArrayList;
import java.util.List;
import skulk.api.Cluster;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.Trace;
import skulk.api.operation.Operation.TraceInfo;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Tracing and traces, of this node and of the cluster (contract section 12; runbook, "Tracing"). */
final class TraceRoutes {
    private final Cluster cluster;

    TraceRoutes(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Route> routes() {
        List<Route> routes = new ArrayList<>(List.of(
                new Route(
                        "GET",
                        "/v1/tracing",
                        Scope.INFER,
                        e -> e.respond(enabled(cluster.view().tracingEnabled()))),
                new Route("PUT", "/v1/tracing", Scope.ADMIN, this::setTracing),
                new Route("POST", "/v1/traces/delete", Scope.ADMIN, this::delete)));
        reads(routes, "/v1/traces", false);
        reads(routes, "/v1/traces/cluster", true);
        return routes;
    }

    private void reads(List<Route> routes, String path, boolean all) {
        routes.add(new Route("GET", path, Scope.INFER, e -> list(e, all)));
        routes.add(new Route("GET", path + "/{id}", Scope.INFER, e -> e.respond(trace(read(e, all)))));
        routes.add(new Route("GET", path + "/{id}/stats", Scope.INFER, e -> e.respond(TraceStats.of(read(e, all)))));
        routes.add(new Route("GET", path + "/{id}/raw", Scope.INFER, e -> raw(e, read(e, all))));
    }

    private static JsonObject enabled(boolean on) {
        return JsonObject.of("enabled", on);
    }

    private void setTracing(Exchange exchange) {
        Fields body = Fields.ofBody(exchange.json());
        body.require("enabled");
        boolean on = body.bool("enabled").orElse(false);
        body.check();
        exchange.respond(enabled(cluster.call(new Operation.SetTracing(on))));
    }

    private void list(Exchange exchange, boolean all) {
        List<Json> traces = new ArrayList<>();
        for (TraceInfo info : cluster.call(new Operation.ListTraces(all))) {
            JsonObject entry = (JsonObject) Records.toJson(info);
            traces.add(entry.with("createdAt", Times.iso(info.createdAt())));
        }
        exchange.respond(JsonObject.of("traces", traces));
    }

    private Trace read(Exchange exchange, boolean all) {
        String id = exchange.path("id");
        try {
            return cluster.call(new Operation.ReadTrace(id, all));
        } catch (SkulkException e) {
            if (e.problem().kind() == Problem.Kind.NOT_FOUND) {
                throw new SkulkException(Problem.Kind.NOT_FOUND, "Trace not found: " + id);
            }
            throw e;
        }
    }

    private static JsonObject trace(Trace trace) {
        return JsonObject.builder()
                .put("taskId", trace.info().taskId())
                .put("traces", Records.toJson(trace.spans()))
                .put("sourceNodes", Records.toJson(trace.info().sourceNodes()))
                .build();
    }

    private static void raw(Exchange exchange, Trace trace) {
        String file = "trace_" + trace.info().taskId().replaceAll("[^A-Za-z0-9._-]", "_") + ".json";
        exchange.respond(Response.json(200, ChromeTrace.of(trace))
                .header("Content-Disposition", "attachment; filename=\"" + file + "\""));
    }

    private void delete(Exchange exchange) {
        Fields body = Bodies.camel(exchange, "taskIds");
        body.require("taskIds");
        List<String> ids = body.strings("taskIds");
        body.check();
        List<String> deleted = cluster.call(new Operation.DeleteTraces(ids));
        exchange.respond(JsonObject.builder()
                .put("deleted", deleted)
                .put(
                        "notFound",
                        ids.stream().filter(id -> !deleted.contains(id)).toList())
                .build());
    }
}
