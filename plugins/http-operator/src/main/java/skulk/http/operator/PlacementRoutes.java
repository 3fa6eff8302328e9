package skulk.http.operator;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import skulk.api.Cluster;
import skulk.api.Settings;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.Preview;
import skulk.api.operation.Operation.Receipt;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Placement and instances (contract section 2). */
final class PlacementRoutes {
    private static final String NO_CARD = "Failed to load model card: ";
    private static final List<Sharding> SHARDINGS = List.of(Sharding.TENSOR, Sharding.PIPELINE);
    private static final List<InstanceMeta> METAS = List.of(InstanceMeta.MLX_RING, InstanceMeta.MLX_JACCL);
    private static final int MAX_NODES = 1000;

    private final Cluster cluster;
    private final Sharding usual;

    /** @param usual where a request names no sharding */
    PlacementRoutes(Cluster cluster, Sharding usual) {
        this.cluster = cluster;
        this.usual = usual;
    }

    /** The strategy that the configuration prefers. */
    static Sharding usual(Settings settings) {
        String name =
                settings.text("placement.default", Sharding.PIPELINE.toString(), "strategy where a request names none");
        return SHARDINGS.stream()
                .filter(s -> s.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new SkulkException(
                        Problem.Kind.USER_ERROR, "placement.default: '" + name + "' is not one of " + SHARDINGS));
    }

    List<Route> routes() {
        return List.of(
                new Route("POST", "/place_instance", Scope.PLACE, this::place),
                new Route("GET", "/instance/previews", Scope.INFER, this::previews),
                new Route("GET", "/instance/placement", Scope.INFER, this::plan),
                new Route("POST", "/instance", Scope.PLACE, this::create),
                new Route("GET", "/instance/{id}", Scope.INFER, e -> e.respond(Records.toJson(instance(e)))),
                new Route("DELETE", "/instance/{id}", Scope.PLACE, this::delete),
                new Route("POST", "/v1/cancel/{id}", Scope.INFER, this::cancel));
    }

    private void place(Exchange exchange) {
        Fields body = Fields.ofBody(exchange.json());
        String model = body.requiredString("model_id");
        Optional<String> sharding = body.oneOf("sharding", words(SHARDINGS));
        Optional<String> meta = body.oneOf("instance_meta", words(METAS));
        int minNodes = body.integer("min_nodes", 1, MAX_NODES).orElse(1);
        List<String> excluded = body.strings("excluded_nodes");
        body.check();
        ModelId id = Bodies.model(model, NO_CARD);
        respond(
                exchange,
                withCard(() -> cluster.call(new Operation.PlaceInstance(
                        id,
                        constant(SHARDINGS, sharding, usual),
                        constant(METAS, meta, InstanceMeta.MLX_RING),
                        minNodes,
                        ids(excluded)))));
    }

    private void plan(Exchange exchange) {
        Query query = new Query(exchange);
        String model = query.required("model_id");
        Sharding sharding = query.word("sharding", SHARDINGS, usual);
        InstanceMeta meta = query.word("instance_meta", METAS, InstanceMeta.MLX_RING);
        int minNodes = query.integer("min_nodes", 1, 1);
        query.check();
        ModelId id = Bodies.model(model, NO_CARD);
        Instance planned = withCard(() -> cluster.call(new Operation.PlanInstance(id, sharding, meta, minNodes)));
        exchange.respond(Records.toJson(planned));
    }

    private void previews(Exchange exchange) {
        Query query = new Query(exchange);
        String model = query.required("model_id");
        query.check();
        ModelId id = Bodies.model(model, NO_CARD);
        List<String> only = exchange.query("node_ids");
        Set<NodeId> excluded = ids(exchange.query("excluded_node_ids"));
        List<Preview> previews = withCard(() -> cluster.call(new Operation.PreviewPlacements(
                id, only.isEmpty() ? Optional.empty() : Optional.of(ids(only)), excluded)));
        exchange.respond(JsonObject.of(
                "previews", previews.stream().map(PlacementRoutes::preview).toList()));
    }

    /** The contract's fields, and what to expect of the placement. */
    private static JsonObject preview(Preview preview) {
        boolean works = preview.instance().isPresent();
        return JsonObject.builder()
                .put("model_id", preview.model().value())
                .put("sharding", preview.sharding().toString())
                .put("instance_meta", preview.meta().toString())
                .put("instance", preview.instance().map(Records::toJson))
                .put("memory_delta_by_node", works ? byNode(preview.memoryDeltaByNode()) : Json.NULL)
                .put("error", preview.error())
                .put("forecast", preview.forecast().map(PlacementRoutes::forecast))
                .build();
    }

    private static JsonObject forecast(Forecast forecast) {
        return JsonObject.builder()
                .put("tokens_per_second", forecast.tokensPerSecond())
                .put("first_token_seconds", forecast.firstTokenSeconds())
                .put("required_bytes_by_node", byNode(forecast.requiredBytesByNode()))
                .build();
    }

    private static Json byNode(Map<NodeId, Long> bytes) {
        Map<String, Long> sorted = new TreeMap<>();
        bytes.forEach((node, amount) -> sorted.put(node.value(), amount));
        return Json.of(sorted);
    }

    private void create(Exchange exchange) {
        Fields body = Fields.ofBody(exchange.json());
        body.require("instance");
        Json given = body.any("instance").orElse(Json.NULL);
        body.check();
        Instance instance = Bodies.shape(given, Instance.class, "instance");
        checkMemory(instance);
        respond(exchange, withCard(() -> cluster.call(new Operation.CreateInstance(instance))));
    }

    /** The caller chose the nodes, so only the sum is checked here; each node checks itself when it loads. */
    private void checkMemory(Instance instance) {
        ClusterView view = cluster.view();
        long weights = instance.shardAssignments().runnerToShard().values().stream()
                .map(Shard::modelCard)
                .mapToLong(card -> card.storageSize().inBytes())
                .max()
                .orElse(0);
        long available = view.nodes().values().stream()
                .map(NodeInfo::memory)
                .flatMap(Optional::stream)
                .mapToLong(memory -> memory.ramAvailable().inBytes())
                .sum();
        if (weights > available) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    String.format(
                            Locale.ROOT,
                            "Insufficient memory to create instance. Required: %.1fGB, Available: %.1fGB",
                            weights / 1e9,
                            available / 1e9));
        }
    }

    private Instance instance(Exchange exchange) {
        Instance found = cluster.view().instances().get(new InstanceId(exchange.path("id")));
        if (found == null) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Instance not found");
        }
        return found;
    }

    private void delete(Exchange exchange) {
        InstanceId id = instance(exchange).instanceId();
        CommandId command = cluster.call(new Operation.DeleteInstance(id));
        exchange.respond(JsonObject.builder()
                .put("message", "Command received.")
                .put("command_id", command.value())
                .put("instance_id", id.value())
                .build());
    }

    private void cancel(Exchange exchange) {
        CommandId id = new CommandId(exchange.path("id"));
        try {
            cluster.call(new Operation.CancelCommand(id));
        } catch (SkulkException e) {
            if (e.problem().kind() == Problem.Kind.NOT_FOUND) {
                throw new SkulkException(Problem.Kind.NOT_FOUND, "Command not found or already completed");
            }
            throw e;
        }
        exchange.respond(JsonObject.builder()
                .put("message", "Command cancelled.")
                .put("command_id", id.value())
                .build());
    }

    private static void respond(Exchange exchange, Receipt receipt) {
        exchange.respond(JsonObject.builder()
                .put("message", "Command received.")
                .put("command_id", receipt.commandId().value())
                .put("model_card", Records.toJson(receipt.card()))
                .build());
    }

    /** A model that nobody knows is the caller's mistake, not a missing page. */
    private static <T> T withCard(Supplier<T> call) {
        try {
            return call.get();
        } catch (SkulkException e) {
            String message = e.problem().message();
            if (e.problem().kind() != Problem.Kind.NOT_FOUND) {
                throw e;
            }
            throw new SkulkException(
                    Problem.Kind.USER_ERROR, message.startsWith(NO_CARD) ? message : NO_CARD + message);
        }
    }

    private static List<String> words(List<?> constants) {
        return constants.stream().map(Object::toString).toList();
    }

    private static <T> T constant(List<T> constants, Optional<String> word, T fallback) {
        return word.flatMap(w ->
                        constants.stream().filter(c -> c.toString().equals(w)).findFirst())
                .orElse(fallback);
    }

    private static Set<NodeId> ids(List<String> values) {
        return values.stream().map(NodeId::new).collect(Collectors.toSet());
    }
}
