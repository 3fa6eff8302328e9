package skulk.http.operator;

import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.cluster.NodeId;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.DiagnosticScope;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** A close look at nodes and their runners (contract section 12). The kernel gathers it; this names the node and checks what is asked. */
final class DiagnosticsRoutes {
    private static final double SAMPLE_SECONDS = 3.0;

    private final Cluster cluster;

    DiagnosticsRoutes(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Route> routes() {
        String node = "/v1/diagnostics/node";
        String all = "/v1/diagnostics/cluster";
        return List.of(
                new Route("GET", node, Scope.INFER, e -> diagnose(e, DiagnosticScope.NODE)),
                new Route("POST", node + "/capture", Scope.ADMIN, e -> capture(e, Optional.empty())),
                new Route("POST", node + "/runners/{id}/cancel", Scope.PLACE, e -> cancel(e, Optional.empty())),
                new Route("GET", all, Scope.INFER, e -> diagnose(e, DiagnosticScope.CLUSTER)),
                new Route("GET", all + "/timeline", Scope.INFER, e -> diagnose(e, DiagnosticScope.TIMELINE)),
                new Route("GET", all + "/{node}", Scope.INFER, this::diagnoseOther),
                new Route("POST", all + "/{node}/capture", Scope.ADMIN, e -> capture(e, Optional.of(known(e)))),
                new Route(
                        "POST",
                        all + "/{node}/runners/{id}/cancel",
                        Scope.PLACE,
                        e -> cancel(e, Optional.of(known(e)))));
    }

    private void diagnose(Exchange exchange, DiagnosticScope scope) {
        exchange.respond(cluster.call(new Operation.Diagnose(scope, Optional.empty())));
    }

    private void diagnoseOther(Exchange exchange) {
        exchange.respond(cluster.call(new Operation.Diagnose(DiagnosticScope.NODE, Optional.of(known(exchange)))));
    }

    private NodeId known(Exchange exchange) {
        NodeId node = new NodeId(exchange.path("node"));
        if (!cluster.view().members().contains(node)) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Node diagnostics endpoint not reachable: " + node);
        }
        return node;
    }

    private void capture(Exchange exchange, Optional<NodeId> node) {
        Fields body = Bodies.camel(exchange, "runnerId", "taskId", "includeProcessSamples", "sampleDurationSeconds");
        Optional<String> runner = body.string("runnerId");
        Optional<String> task = body.string("taskId");
        boolean samples = body.bool("includeProcessSamples").orElse(true);
        double seconds = body.number("sampleDurationSeconds", 1, 10).orElse(SAMPLE_SECONDS);
        body.check();
        exchange.respond(cluster.call(new Operation.CaptureDiagnostics(node, runner, task, samples, seconds)));
    }

    private void cancel(Exchange exchange, Optional<NodeId> node) {
        Fields body = Bodies.camel(exchange, "taskId");
        String task = body.requiredString("taskId");
        body.check();
        exchange.respond(cluster.call(new Operation.CancelTask(node, exchange.path("id"), task)));
    }
}
