package skulk.distribution;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import skulk.api.json.JsonObject;

/** The OpenAPI document of a node, whose schemas its answers are held against by a library. */
final class Description {
    private static final ObjectMapper JACKSON = new ObjectMapper();

    private final JsonNode document;
    private final Map<JsonNode, JsonSchema> schemas = new HashMap<>();

    private Description(JsonNode document) {
        this.document = document;
    }

    static Description of(JsonObject document) throws IOException {
        return new Description(JACKSON.readTree(document.toString()));
    }

    /** What a JSON text lacks or has too much; a missing schema is a fault. */
    List<String> faults(String what, JsonNode schema, String text) throws IOException {
        if (!schema.isObject() || schema.isEmpty()) {
            return List.of(what + ": no schema for " + text);
        }
        return schemas.computeIfAbsent(schema, this::compiled).validate(JACKSON.readTree(text)).stream()
                .map(message -> what + ": " + message + " in " + text)
                .toList();
    }

    private JsonSchema compiled(JsonNode schema) {
        ObjectNode whole = JACKSON.createObjectNode();
        whole.set("components", document.get("components"));
        whole.setAll((ObjectNode) schema);
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(whole);
    }

    /** What is said of the content of an answer to this method and path. */
    JsonNode content(String method, String path, HttpResponse<String> answer) {
        String type = answer.headers().firstValue("Content-Type").orElse("").replaceFirst(";.*", "");
        return document.at("/paths/%s/%s/responses/%d/content/%s"
                .formatted(path.replace("/", "~1"), method, answer.statusCode(), type.replace("/", "~1")));
    }

    /** What is wrong with a JSON answer to this method and path. */
    List<String> faults(String method, String path, HttpResponse<String> answer) throws IOException {
        String what = "%s %s %d".formatted(method, path, answer.statusCode());
        return faults(what, content(method, path, answer).path("schema"), answer.body());
    }
}
