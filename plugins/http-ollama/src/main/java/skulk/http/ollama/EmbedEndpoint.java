package skulk.http.ollama;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.dialect.DialectBody;
import skulk.api.dialect.EmbeddingModels;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;

/** {@code POST …/embed} and the older {@code POST …/embeddings}. */
record EmbedEndpoint(Inference inference, Cluster cluster) {
    private static final int MOST_INPUTS = 2048;

    private record Asked(String model, List<String> inputs, Optional<Integer> dimensions, boolean truncate) {}

    void embed(Exchange exchange) {
        long start = System.nanoTime();
        DialectBody body = DialectBody.of(exchange.json());
        Fields fields = body.fields();
        fields.require("input");
        Asked asked = read(body, fields.strings("input"));
        Embeddings embeddings = embed(asked, exchange.caller().id());
        exchange.respond(JsonObject.builder()
                .put("model", asked.model())
                .put(
                        "embeddings",
                        embeddings.vectors().stream()
                                .map(EmbedEndpoint::numbers)
                                .toList())
                .put("total_duration", System.nanoTime() - start)
                .put("load_duration", 0)
                .put("prompt_eval_count", embeddings.promptTokens())
                .build());
    }

    void embedOne(Exchange exchange) {
        DialectBody body = DialectBody.of(exchange.json());
        Asked asked = read(body, List.of(body.fields().requiredString("prompt")));
        Embeddings embeddings = embed(asked, exchange.caller().id());
        exchange.respond(JsonObject.of("embedding", numbers(embeddings.vectors().getFirst())));
    }

    private static Asked read(DialectBody body, List<String> inputs) {
        Fields fields = body.fields();
        AskFields.keepAlive(body);
        OptionsFields.readForEmbedding(body);
        Asked asked = new Asked(
                fields.requiredString("model"),
                inputs,
                fields.integer("dimensions", 1, Integer.MAX_VALUE),
                fields.bool("truncate").orElse(true));
        if (inputs.isEmpty() || inputs.stream().anyMatch(String::isEmpty)) {
            body.refuse("input must not be empty");
        } else if (inputs.size() > MOST_INPUTS) {
            body.refuse("'input' has %d texts, at most %d are supported".formatted(inputs.size(), MOST_INPUTS));
        }
        body.check();
        return asked;
    }

    private Embeddings embed(Asked asked, String client) {
        ModelId model = Models.id(asked.model());
        EmbeddingModels.check(cluster, model, asked.dimensions().isPresent());
        return inference.embed(new EmbeddingRequest(
                CommandId.random(), model, asked.inputs(), asked.dimensions(), asked.truncate(), client));
    }

    private static Json numbers(float[] vector) {
        List<Json> numbers = new ArrayList<>(vector.length);
        for (float value : vector) {
            numbers.add(JsonNumber.of(value));
        }
        return new JsonArray(numbers);
    }
}
