package skulk.http.operator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.NodeFacts;
import skulk.api.operation.Operation.PluginStatus;
import skulk.api.operation.Operation.RestartReply;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Things about the node itself: plugins, restart, onboarding, ways in from outside. */
final class NodeRoutes {
    private final Cluster cluster;
    private final Path onboarded;

    /** @param work where the onboarding mark lies */
    NodeRoutes(Cluster cluster, Path work) {
        this.cluster = cluster;
        onboarded = work.resolve("onboarded");
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/plugins", Scope.INFER, e -> plugins(e, cluster.call(new Operation.ListPlugins()))),
                new Route(
                        "POST",
                        "/plugins/rescan",
                        Scope.ADMIN,
                        e -> plugins(e, cluster.call(new Operation.RescanPlugins()))),
                new Route("POST", "/admin/restart", Scope.ADMIN, this::restart),
                new Route("GET", "/onboarding", Scope.INFER, this::onboarding),
                new Route("POST", "/onboarding", Scope.ADMIN, this::completeOnboarding),
                new Route("GET", "/v1/connectivity/tailscale", Scope.INFER, this::tailscale),
                new Route("GET", "/v1/connectivity/remote-access", Scope.INFER, this::remoteAccess));
    }

    private static void plugins(Exchange exchange, List<PluginStatus> plugins) {
        exchange.respond(JsonObject.of("plugins", Records.toJson(plugins)));
    }

    private void restart(Exchange exchange) {
        Optional<NodeId> node = exchange.queryFirst("node_id").map(NodeId::new);
        try {
            RestartReply reply = cluster.call(new Operation.Restart(node));
            exchange.respond(restartReply(reply.status(), reply.nodeId()));
        } catch (SkulkException e) {
            if (e.problem().kind() != Problem.Kind.CONFLICT) {
                throw e;
            }
            NodeId pending = node.orElse(cluster.view().self());
            exchange.respond(Response.json(409, restartReply("restart_already_pending", pending)));
        }
    }

    private static JsonObject restartReply(String status, NodeId node) {
        return JsonObject.builder()
                .put("status", status)
                .put("node_id", node.value())
                .build();
    }

    private void onboarding(Exchange exchange) {
        exchange.respond(JsonObject.of("completed", Files.exists(onboarded)));
    }

    /** Without a body it completes; a body {@code {"completed": false}} starts over. */
    private void completeOnboarding(Exchange exchange) throws IOException {
        boolean completed = true;
        if (exchange.body().length > 0) {
            Fields fields = Fields.ofBody(exchange.json());
            completed = fields.bool("completed").orElse(true);
            fields.check();
        }
        if (completed) {
            Files.createDirectories(onboarded.getParent());
            Files.writeString(onboarded, "");
        } else {
            Files.deleteIfExists(onboarded);
        }
        onboarding(exchange);
    }

    // ---- ways in

    private void tailscale(Exchange exchange) {
        List<NodeInfo.NetworkInterface> found =
                interfaces().stream().filter(NodeRoutes::isTailscale).toList();
        exchange.respond(JsonObject.builder()
                .put("running", !found.isEmpty())
                .put(
                        "ipAddresses",
                        found.stream().map(NodeInfo.NetworkInterface::ipAddress).toList())
                .build());
    }

    private void remoteAccess(Exchange exchange) {
        NodeFacts node = cluster.call(new Operation.ReadNode());
        List<Json> urls = interfaces().stream()
                .map(NodeInfo.NetworkInterface::ipAddress)
                .filter(ip -> !ip.startsWith("127.") && !ip.equals("::1"))
                .map(ip -> "http://" + (ip.contains(":") ? "[" + ip + "]" : ip) + ":" + node.apiPort())
                .map(Json::of)
                .toList();
        exchange.respond(JsonObject.builder()
                .put("apiPort", node.apiPort())
                .put("urls", urls)
                .put("tailscale", interfaces().stream().anyMatch(NodeRoutes::isTailscale))
                .build());
    }

    private List<NodeInfo.NetworkInterface> interfaces() {
        return Optional.ofNullable(cluster.view().nodes().get(cluster.view().self()))
                .map(NodeInfo::network)
                .orElse(List.of());
    }

    /** By its name, or by an address of the shared range 100.64.0.0/10 (RFC 6598) that Tailscale hands out. */
    private static boolean isTailscale(NodeInfo.NetworkInterface network) {
        String[] parts = network.ipAddress().split("\\.");
        boolean shared = parts.length == 4 && parts[0].equals("100") && (Integer.parseInt(parts[1]) & 0xC0) == 64;
        return network.name().startsWith("tailscale") || shared;
    }
}
