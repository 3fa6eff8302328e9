package skulk.http.openai;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.dialect.DialectBody;
import skulk.api.dialect.EmbeddingModels;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** {@code POST /v1/embeddings}; the checks run in the order of contract section 4. */
record EmbeddingsEndpoint(Inference inference, Cluster cluster) {
    private static final int MOST_INPUTS = 2048; // OpenAI's limit

    private record Asked(String model, List<String> inputs, boolean base64, Optional<Integer> dimensions) {}

    void handle(Exchange exchange) {
        Asked asked = read(exchange.json());
        ModelId model = DialectBody.model(asked.model());
        EmbeddingModels.check(cluster, model, asked.dimensions().isPresent());
        EmbeddingRequest request = new EmbeddingRequest(
                CommandId.random(),
                model,
                asked.inputs(),
                asked.dimensions(),
                false, // as OpenAI does: a text that does not fit is a 400, never a vector of its beginning
                exchange.caller().id());
        exchange.respond(reply(asked, embed(request)));
    }

    private EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        try {
            return inference.embed(request);
        } catch (SkulkException e) {
            if (e.problem().kind() != Kind.INTERNAL) {
                throw e;
            }
            throw new SkulkException(
                    Problem.of(
                            Kind.INTERNAL,
                            e.problem().code(),
                            "Embedding failed: " + e.problem().message()),
                    e);
        }
    }

    private static Asked read(Json json) {
        DialectBody body = DialectBody.of(json);
        Fields fields = body.fields();
        String model = fields.requiredString("model");
        fields.require("input");
        boolean tokens =
                fields.any("input").filter(EmbeddingsEndpoint::holdsTokens).isPresent();
        List<String> inputs = tokens ? List.of("") : fields.strings("input");
        boolean base64 = fields.oneOf("encoding_format", List.of("float", "base64"))
                .filter("base64"::equals)
                .isPresent();
        Optional<Integer> dimensions = fields.integer("dimensions", 1, Integer.MAX_VALUE);
        fields.string("user");
        if (tokens) {
            body.refuse("'input' of token ids is not supported: send text");
        } else if (inputs.isEmpty() || inputs.stream().anyMatch(String::isEmpty)) {
            body.refuse("input must not be empty");
        } else if (inputs.size() > MOST_INPUTS) {
            body.refuse("'input' has %d texts, at most %d are supported".formatted(inputs.size(), MOST_INPUTS));
        }
        body.check();
        return new Asked(model, inputs, base64, dimensions);
    }

    private static boolean holdsTokens(Json input) {
        return input instanceof JsonArray list
                && list.size() > 0
                && (list.items().getFirst() instanceof JsonNumber
                        || list.items().getFirst() instanceof JsonArray);
    }

    private static JsonObject reply(Asked asked, EmbeddingRequest.Embeddings embeddings) {
        List<JsonObject> data = new ArrayList<>();
        for (float[] vector : embeddings.vectors()) {
            data.add(JsonObject.builder()
                    .put("object", "embedding")
                    .put("index", data.size())
                    .put("embedding", asked.base64() ? base64(vector) : numbers(vector))
                    .build());
        }
        return JsonObject.builder()
                .put("object", "list")
                .put("data", data)
                .put("model", asked.model())
                .put(
                        "usage",
                        JsonObject.builder()
                                .put("prompt_tokens", embeddings.promptTokens())
                                .put("total_tokens", embeddings.promptTokens())
                                .build())
                .build();
    }

    private static Json numbers(float[] vector) {
        List<Json> numbers = new ArrayList<>(vector.length);
        for (float value : vector) {
            numbers.add(JsonNumber.of(value));
        }
        return new JsonArray(numbers);
    }

    /** Little-endian 32-bit floats. */
    private static Json base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Json.of(Base64.getEncoder().encodeToString(bytes.array()));
    }
}
