package skulk.http.openai;

import java.util.List;
import skulk.api.Cluster;
import skulk.api.http.CatalogJson;
import skulk.api.http.Exchange;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** {@code GET /v1/models}, {@code /models} and {@code /v1/models/{id}} (contract section 8.1). @param created what models are dated, in seconds since the epoch */
record ModelsEndpoint(Cluster cluster, long created) {
    void list(Exchange exchange) {
        boolean downloadedOnly =
                exchange.queryFirst("status").filter("downloaded"::equals).isPresent();
        List<JsonObject> entries = cluster.call(new Operation.ListModels()).stream()
                .filter(entry -> !downloadedOnly || entry.downloaded())
                .map(entry -> CatalogJson.entry(entry.card(), created))
                .toList();
        exchange.respond(
                JsonObject.builder().put("object", "list").put("data", entries).build());
    }

    void get(Exchange exchange) {
        String id = exchange.path("id");
        exchange.respond(cluster.call(new Operation.ListModels()).stream()
                .filter(entry -> entry.card().modelId().value().equals(id))
                .findFirst()
                .map(entry -> CatalogJson.entry(entry.card(), created))
                .orElseThrow(() ->
                        new SkulkException(Problem.Kind.NOT_FOUND, "The model '%s' does not exist".formatted(id))));
    }
}
