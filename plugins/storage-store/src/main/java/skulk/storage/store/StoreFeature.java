package skulk.storage.store;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.HttpFeature;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** The store's endpoints on every node (contract section 8.2): the host answers itself, the others ask it. */
final class StoreFeature implements HttpFeature {
    private static final Duration WAIT = Duration.ofSeconds(2);

    private final Optional<Store> store;

    /** @param store empty where none is configured */
    StoreFeature(Optional<Store> store) {
        this.store = store;
    }

    @Override
    public String name() {
        return "store";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route("GET", "/store/health", Route.Scope.INFER, e -> e.respond(ask(StoreFeature::health))),
                new Route("GET", "/store/registry", Route.Scope.INFER, e -> e.respond(ask(StoreFeature::registry))),
                new Route("GET", "/store/downloads", Route.Scope.INFER, e -> e.respond(ask(StoreFeature::downloads))),
                new Route("POST", "/store/models/{id+}/download", Route.Scope.PLACE, this::download),
                new Route("GET", "/store/models/{id+}/download/status", Route.Scope.INFER, this::status),
                new Route("DELETE", "/store/models/{id+}", Route.Scope.PLACE, this::delete));
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask(Store store) throws IOException;
    }

    private <T> T ask(Question<T> question) {
        Store configured = store.orElseThrow(() -> new SkulkException(Problem.Kind.NOT_READY, "Store not configured"));
        try {
            return question.ask(configured);
        } catch (IOException e) {
            throw new SkulkException(Problem.of(Problem.Kind.NOT_READY, "Store unreachable: " + e.getMessage()), e);
        }
    }

    private static Json health(Store store) throws IOException {
        Store.Health health = store.health();
        return JsonObject.builder()
                .put("storePath", health.storePath())
                .put("freeBytes", health.freeBytes())
                .put("totalBytes", health.totalBytes())
                .put("usedBytes", health.usedBytes())
                .build();
    }

    private static Json registry(Store store) throws IOException {
        return JsonObject.of(
                "entries",
                new JsonArray(
                        store.registry().stream().<Json>map(Store.Entry::toJson).toList()));
    }

    private static Json downloads(Store store) throws IOException {
        return JsonObject.of(
                "downloads",
                new JsonArray(store.downloads().stream()
                        .<Json>map(p -> p.toJson(true))
                        .toList()));
    }

    private static ModelId model(Exchange exchange) {
        try {
            return new ModelId(exchange.path("id"));
        } catch (IllegalArgumentException e) {
            throw new SkulkException(Problem.Kind.USER_ERROR, e.getMessage());
        }
    }

    private void download(Exchange exchange) {
        ModelId model = model(exchange);
        byte[] body = exchange.body();
        if (body.length > 0) {
            Fields fields = Fields.ofBody(Fields.parse(body));
            Optional<String> gguf = fields.string("gguf_file").or(() -> fields.string("ggufFile"));
            fields.accept("gguf_file", "ggufFile").check();
            if (gguf.isPresent()) {
                throw new SkulkException(
                        Problem.Kind.USER_ERROR, "gguf_file: Skulk serves safetensors checkpoints, not GGUF");
            }
        }
        Store.Progress progress = ask(s -> s.download(model, WAIT));
        exchange.respond(JsonObject.builder()
                .put("modelId", model.value())
                .put("status", progress.status())
                .put("progress", progress.progress())
                .build());
    }

    private void status(Exchange exchange) {
        ModelId model = model(exchange);
        exchange.respond(
                ask(s -> s.status(model)).map(p -> p.toJson(true)).orElse(JsonObject.of("status", "not_found")));
    }

    private void delete(Exchange exchange) {
        ModelId model = model(exchange);
        if (!ask(s -> s.delete(model))) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Model %s not in store".formatted(model));
        }
        exchange.respond(JsonObject.builder()
                .put("modelId", model.value())
                .put("deleted", true)
                .build());
    }
}
