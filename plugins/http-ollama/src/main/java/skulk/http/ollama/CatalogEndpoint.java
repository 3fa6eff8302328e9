package skulk.http.ollama;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.Cluster;
import skulk.api.cluster.Instance;
import skulk.api.cluster.Shard;
import skulk.api.dialect.DialectBody;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Response;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * What models there are: {@code tags}, {@code show}, {@code ps}, {@code version} (contract section 7).
 *
 * @param started when the node started, the date of every model, since models have none of their own
 */
record CatalogEndpoint(Cluster cluster, String started) {
    private static final String DIGEST = "sha256:000000000000";
    private static final String NEVER = "9999-12-31T23:59:59Z";
    private static final Pattern SIZE =
            Pattern.compile("(?:^|[-_/])(\\d+(?:\\.\\d+)?[bm])(?:[-_]|$)", Pattern.CASE_INSENSITIVE);

    /** Downloaded models. */
    void tags(Exchange exchange) {
        exchange.respond(JsonObject.of(
                "models",
                cluster.call(new Operation.ListModels()).stream()
                        .filter(Operation.CatalogEntry::downloaded)
                        .map(entry -> tag(entry.card()))
                        .toList()));
    }

    private JsonObject tag(ModelCard card) {
        return JsonObject.builder()
                .put("name", card.modelId().value())
                .put("model", card.modelId().value())
                .put("modified_at", started)
                .put("size", card.storageSize().inBytes())
                .put("digest", DIGEST)
                .put("details", details(card))
                .build();
    }

    private static JsonObject details(ModelCard card) {
        Matcher size = SIZE.matcher(card.modelId().value());
        return JsonObject.builder()
                .put("parent_model", card.baseModel())
                .put("format", card.ggufFile().isPresent() ? "gguf" : "mlx")
                .put("family", card.family())
                .put("families", List.of(card.family()))
                .put("parameter_size", size.find() ? size.group(1).toUpperCase(Locale.ROOT) : "")
                .put("quantization_level", card.quantization())
                .build();
    }

    void show(Exchange exchange) {
        DialectBody body = DialectBody.of(exchange.json());
        Fields fields = body.fields();
        Optional<String> model = fields.string("model");
        Optional<String> name = fields.string("name").or(() -> model).filter(n -> !n.isEmpty());
        fields.bool("verbose"); // there is no longer form
        JsonString nothing = new JsonString("");
        body.refuseUnless("system", nothing::equals, "what is shown is the model's own");
        body.refuseUnless("template", nothing::equals, "what is shown is the model's own");
        body.refuseUnless("options", DialectBody::isEmpty, "what is shown is the model's own");
        body.check();
        String asked = name.orElseThrow(() -> new SkulkException(Problem.Kind.USER_ERROR, "name or model is required"));
        ModelId id = Models.id(asked);
        exchange.respond(cluster.call(new Operation.ListModels()).stream()
                .map(Operation.CatalogEntry::card)
                .filter(card -> card.modelId().equals(id))
                .findFirst()
                .map(this::shown)
                .orElseThrow(
                        () -> new SkulkException(Problem.Kind.NOT_FOUND, "model '%s' not found".formatted(asked))));
    }

    private JsonObject shown(ModelCard card) {
        String family = card.family().isEmpty() ? "model" : card.family();
        JsonObject.Builder info = JsonObject.builder()
                .put("general.architecture", family)
                .put("general.basename", card.modelId().shortName())
                .put(family + ".block_count", card.nLayers())
                .put(family + ".context_length", card.contextLength())
                .put(family + ".embedding_length", card.hiddenSize());
        card.numKeyValueHeads().ifPresent(heads -> info.put(family + ".attention.head_count_kv", heads));
        return JsonObject.builder()
                .put("modelfile", "FROM " + card.modelId())
                .put("parameters", "")
                .put("template", "{{ .Prompt }}")
                .put("details", details(card))
                .put("model_info", info.build())
                .put("capabilities", capabilities(card))
                .put("modified_at", started)
                .build();
    }

    /** Ollama's words for what a model can do. */
    private static List<String> capabilities(ModelCard card) {
        List<String> words = new ArrayList<>();
        words.add(card.embeds() ? "embedding" : "completion");
        if (card.tooling().filter(ModelCard.Tooling::supportsToolCalling).isPresent()) {
            words.add("tools");
        }
        if (card.capabilities().contains("thinking")) {
            words.add("thinking");
        }
        return words;
    }

    /** Placed models that answer; they stay until they are deleted. */
    void running(Exchange exchange) {
        var view = cluster.view();
        exchange.respond(JsonObject.of(
                "models",
                view.instances().values().stream()
                        .filter(view::serving)
                        .map(CatalogEndpoint::running)
                        .toList()));
    }

    private static JsonObject running(Instance instance) {
        Optional<ModelCard> card = instance.shardAssignments().runnerToShard().values().stream()
                .map(Shard::modelCard)
                .findFirst();
        JsonObject.Builder model = JsonObject.builder()
                .put("name", instance.modelId().value())
                .put("model", instance.modelId().value())
                .put("size", 0)
                .put("digest", DIGEST)
                .put("details", card.map(CatalogEndpoint::details).orElse(JsonObject.EMPTY))
                .put("expires_at", NEVER)
                .put("size_vram", card.map(c -> c.storageSize().inBytes()).orElse(0L));
        instance.contextTokenLimit().ifPresent(limit -> model.put("context_length", limit));
        return model.build();
    }

    void version(Exchange exchange) {
        exchange.respond(JsonObject.of(
                "version", "skulk v" + cluster.call(new Operation.ReadNode()).version()));
    }

    void here(Exchange exchange) {
        exchange.respond(Response.text(200, "Skulk is running"));
    }
}
