package skulk.http.operator;

import java.util.List;
import skulk.api.Cluster;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.ApiKey;
import skulk.api.operation.Operation.ConfigWritten;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Configuration (contract section 8.3) and API keys. */
final class ConfigRoutes {
    private static final List<String> SCOPES = List.of("infer", "place", "admin");

    private final Cluster cluster;

    ConfigRoutes(Cluster cluster) {
        this.cluster = cluster;
    }

    List<Route> routes() {
        return List.of(
                new Route(
                        "GET",
                        "/config",
                        Scope.ADMIN,
                        e -> e.respond(Records.toJson(cluster.call(new Operation.ReadConfig())))),
                new Route("PUT", "/config", Scope.ADMIN, this::write),
                new Route("GET", "/admin/keys", Scope.ADMIN, this::keys),
                new Route("POST", "/admin/keys", Scope.ADMIN, this::createKey),
                new Route("DELETE", "/admin/keys/{id}", Scope.ADMIN, this::deleteKey));
    }

    /** {@code {"config": {…}}} or the bare object; what is wrong is told in the error envelope, not as a detail list. */
    private void write(Exchange exchange) {
        JsonObject config = exchange.json() instanceof JsonObject body ? body : notAnObject();
        if (config.has("config")) {
            config = config.members().get("config") instanceof JsonObject inner ? inner : notAnObject();
        }
        ConfigWritten written = cluster.call(new Operation.WriteConfig(config));
        exchange.respond(JsonObject.builder()
                .put("success", true)
                .put("message", written.message())
                .put("requiresRestart", written.requiresRestart())
                .build());
    }

    private static JsonObject notAnObject() {
        throw new SkulkException(Problem.Kind.INVALID, "'config' field must be a JSON object.");
    }

    // ---- keys

    private void keys(Exchange exchange) {
        List<Json> keys = cluster.call(new Operation.ListApiKeys()).stream()
                .<Json>map(ConfigRoutes::described)
                .toList();
        exchange.respond(JsonObject.of("keys", keys));
    }

    private static JsonObject described(ApiKey key) {
        return JsonObject.builder()
                .put("id", key.id())
                .put("scopes", key.scopes())
                .put("max_concurrent", limit(key.maxConcurrent()))
                .put("tokens_per_minute", limit(key.tokensPerMinute()))
                .put("created_at", Times.iso(key.createdAt()))
                .build();
    }

    /** Null is without limit, as where a request leaves it out. */
    private static Json limit(long value) {
        return value == 0 ? Json.NULL : JsonNumber.of(value);
    }

    /** The only time that the key itself is told. */
    private void createKey(Exchange exchange) {
        Fields body = Fields.ofBody(exchange.json());
        String id = body.requiredString("id");
        body.require("scopes");
        List<String> scopes = body.strings("scopes");
        scopes.stream()
                .filter(s -> !SCOPES.contains(s))
                .findFirst()
                .ifPresent(s ->
                        body.fail("scopes", "enum", "Input should be 'infer', 'place' or 'admin', not '" + s + "'"));
        if (scopes.isEmpty()) {
            body.fail("scopes", "too_short", "List should have at least 1 item");
        }
        int concurrent = body.integer("max_concurrent", 1, Integer.MAX_VALUE).orElse(0);
        int tokens = body.integer("tokens_per_minute", 1, Integer.MAX_VALUE).orElse(0);
        body.check();
        ApiKey key = cluster.call(new Operation.CreateApiKey(id, scopes, concurrent, tokens));
        exchange.respond(described(key).with("key", key.key().orElse("")));
    }

    private void deleteKey(Exchange exchange) {
        String id = exchange.path("id");
        if (!cluster.call(new Operation.DeleteApiKey(id))) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "API key not found: " + id);
        }
        exchange.respond(JsonObject.builder().put("id", id).put("deleted", true).build());
    }
}
