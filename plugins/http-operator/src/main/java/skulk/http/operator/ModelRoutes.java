package skulk.http.operator;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.http.CatalogJson;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.CatalogEntry;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Custom models, downloads and staged copies (contract section 8; runbook, "Storage Management"). */
final class ModelRoutes {
    private static final String NOT_FETCHED = "Failed to fetch model: ";

    private final Cluster cluster;
    private final long created = Instant.now().getEpochSecond();

    ModelRoutes(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Route> routes() {
        return List.of(
                new Route("POST", "/models/add", Scope.PLACE, this::add),
                new Route("DELETE", "/models/custom/{id+}", Scope.PLACE, this::deleteCustom),
                new Route("POST", "/download/start", Scope.PLACE, this::startDownload),
                new Route("DELETE", "/download/{node}/{model+}", Scope.PLACE, this::cancelDownload),
                new Route("GET", "/store/storage", Scope.INFER, this::storage),
                new Route(
                        "GET",
                        "/store/storage/cluster",
                        Scope.INFER,
                        e -> e.respond(cluster.call(new Operation.ReadClusterStorage()))),
                new Route("POST", "/store/purge-staging", Scope.PLACE, this::purge));
    }

    private void add(Exchange exchange) {
        Fields body = Fields.ofBody(exchange.json());
        String model = body.requiredString("model_id");
        body.check();
        ModelId id = Bodies.model(model, NOT_FETCHED);
        try {
            CatalogEntry entry = cluster.call(new Operation.AddModel(id));
            exchange.respond(CatalogJson.entry(entry.card(), created));
        } catch (SkulkException e) {
            Problem.Kind kind = e.problem().kind();
            if (kind != Problem.Kind.NOT_FOUND && kind != Problem.Kind.USER_ERROR) {
                throw e;
            }
            String message = e.problem().message();
            throw new SkulkException(
                    Problem.Kind.USER_ERROR, message.startsWith(NOT_FETCHED) ? message : NOT_FETCHED + message);
        }
    }

    private void deleteCustom(Exchange exchange) {
        String text = exchange.path("id");
        Optional<ModelId> id = modelId(text);
        if (id.isEmpty() || !cluster.call(new Operation.DeleteCustomModel(id.get()))) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Custom model card not found");
        }
        exchange.respond(JsonObject.builder()
                .put("message", "Model card deleted")
                .put("model_id", text)
                .build());
    }

    private static Optional<ModelId> modelId(String text) {
        try {
            return Optional.of(new ModelId(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** The contract's form names a shard; a person names a model, which is then fetched whole, by this node unless another is named. */
    private void startDownload(Exchange exchange) {
        Fields body = Bodies.camel(exchange, "targetNodeId", "shardMetadata", "modelId");
        Optional<String> model = body.string("modelId");
        if (model.isPresent()) {
            NodeId node = body.string("targetNodeId")
                    .map(NodeId::new)
                    .orElseGet(() -> cluster.view().self());
            body.check();
            command(exchange, cluster.call(new Operation.StartDownload(node, whole(Bodies.model(model.get(), "")))));
            return;
        }
        String node = body.requiredString("targetNodeId");
        body.require("shardMetadata");
        Json shard = body.any("shardMetadata").orElse(Json.NULL);
        body.check();
        Shard wanted = Bodies.shape(shard, Shard.class, "shardMetadata");
        command(exchange, cluster.call(new Operation.StartDownload(new NodeId(node), wanted)));
    }

    private Shard whole(ModelId model) {
        ModelCard card = cluster.call(new Operation.ListModels()).stream()
                .map(CatalogEntry::card)
                .filter(known -> known.modelId().equals(model))
                .findFirst()
                .orElseGet(() -> cluster.call(new Operation.AddModel(model)).card());
        return Shard.PipelineShardMetadata.of(card, 0, 1, 0, card.nLayers());
    }

    private void cancelDownload(Exchange exchange) {
        ModelId model = Bodies.model(exchange.path("model"), "");
        command(exchange, cluster.call(new Operation.CancelDownload(new NodeId(exchange.path("node")), model)));
    }

    private static void command(Exchange exchange, CommandId command) {
        exchange.respond(JsonObject.of("commandId", command.value()));
    }

    private void storage(Exchange exchange) {
        exchange.respond(Records.toJson(cluster.call(new Operation.ReadStorage())));
    }

    private void purge(Exchange exchange) {
        Fields body = Bodies.camel(exchange, "modelId");
        Optional<String> named = body.string("modelId");
        body.check();
        Optional<ModelId> model = named.map(text -> Bodies.model(text, ""));
        CommandId command = cluster.call(new Operation.PurgeStaging(model));
        String which = model.map(id -> " for model " + id).orElse("");
        exchange.respond(JsonObject.builder()
                .put("commandId", command.value())
                .put("message", "Purge staging command broadcast to all nodes" + which)
                .build());
    }
}
