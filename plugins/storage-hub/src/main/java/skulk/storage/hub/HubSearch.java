package skulk.storage.hub;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.HttpFeature;
import skulk.api.http.Exchange;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Violation;
import skulk.api.problem.SkulkException;

/** {@code GET /models/search} (contract section 8.1). */
final class HubSearch implements HttpFeature {
    private static final int MAX_LIMIT = 100;
    private static final int MAX_ANSWER = 32 << 20;

    private final HubSettings settings;
    private final HubClient client;

    HubSearch(HubSettings settings, HubClient client) {
        this.settings = settings;
        this.client = client;
    }

    @Override
    public String name() {
        return "hub-search";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route("GET", "/models/search", Route.Scope.INFER, this::search));
    }

    private void search(Exchange exchange) {
        String query = exchange.queryFirst("query").orElse("");
        int limit = limit(exchange.queryFirst("limit").orElse("20"));
        boolean mlxOnly = flag(exchange.queryFirst("mlx_only").orElse("false"));
        if (settings.offline()) {
            throw new SkulkException(Problem.Kind.NOT_READY, "the node is offline, the hub cannot be searched");
        }
        String path = "/api/models?search=%s&limit=%d&sort=downloads&direction=-1&full=true%s"
                .formatted(URLEncoder.encode(query, StandardCharsets.UTF_8), limit, mlxOnly ? "&filter=mlx" : "");
        try (HubClient.Answer answer = client.get(client.uri(path), Map.of())) {
            if (answer.status() != 200) {
                throw new IOException("it answered " + answer.status());
            }
            exchange.respond(found(Json.parse(answer.response().body().readNBytes(MAX_ANSWER))));
        } catch (IOException | JsonException e) {
            throw new SkulkException(
                    Problem.of(Problem.Kind.NOT_READY, "the hub cannot be searched: " + e.getMessage()), e);
        }
    }

    private static Json found(Json answer) throws IOException {
        if (!(answer instanceof JsonArray models)) {
            throw new IOException("its answer is not a list");
        }
        List<Json> list = new ArrayList<>();
        for (Json item : models) {
            if (item instanceof JsonObject model) {
                Optional<String> id = model.string("id").or(() -> model.string("modelId"));
                id.ifPresent(name -> list.add(entry(name, model)));
            }
        }
        return new JsonArray(list);
    }

    private static Json entry(String id, JsonObject model) {
        String author = id.contains("/") ? id.substring(0, id.indexOf('/')) : "";
        return JsonObject.builder()
                .put("id", id)
                .put("author", model.string("author").orElse(author))
                .put("downloads", model.integer("downloads").orElse(0L))
                .put("likes", model.integer("likes").orElse(0L))
                .put("last_modified", model.string("lastModified").orElse(""))
                .put("tags", model.array("tags").orElse(JsonArray.of()))
                .build();
    }

    private static int limit(String text) {
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            throw invalid("limit", "int_parsing", "Input should be a valid integer", text);
        }
        throw invalid("limit", "out_of_range", "Input should be between 1 and " + MAX_LIMIT, text);
    }

    private static boolean flag(String text) {
        return switch (text.toLowerCase(java.util.Locale.ROOT)) {
            case "true", "1", "yes", "on" -> true;
            case "false", "0", "no", "off" -> false;
            default -> throw invalid("mlx_only", "bool_parsing", "Input should be a valid boolean", text);
        };
    }

    private static SkulkException invalid(String field, String type, String message, String input) {
        Violation violation = new Violation(
                type, List.of("query", field), message, Json.of(input).toString(), "");
        return new SkulkException(
                new Problem(Problem.Kind.INVALID, "invalid_query", message, List.of(violation), Optional.empty()));
    }
}
