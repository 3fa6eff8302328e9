package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** The OpenAPI document beside the routes that a running node answers. */
@ExtendWith(SharedNode.class)
class ApiDescriptionIT {
    private static final ObjectMapper JACKSON = new ObjectMapper();

    private static JsonObject paths(ServingNode node) throws Exception {
        return node.process().json("/api/openapi.json").object("paths").orElseThrow();
    }

    /** Method, path and scope of every route that the document has. */
    private static Set<String> described(ServingNode node) throws Exception {
        Set<String> all = new TreeSet<>();
        paths(node)
                .members()
                .forEach((path, operations) -> ((JsonObject) operations)
                        .members()
                        .forEach((method, operation) -> all.add("%s %s %s"
                                .formatted(
                                        method.toUpperCase(Locale.ROOT),
                                        path,
                                        ((JsonObject) operation)
                                                .string("x-scope")
                                                .orElseThrow()
                                                .toUpperCase(Locale.ROOT)))));
        return all;
    }

    /** Both ways: a route that nobody described is found as well as a description of nothing. */
    @Test
    void theDocumentHasTheRoutesOfTheServerAndNoOthers(ServingNode node) throws Exception {
        Set<String> mounted = new TreeSet<>();
        for (Json plugin : node.process().json("/plugins").array("plugins").orElseThrow()) {
            for (Json route : ((JsonObject) plugin).array("routes").orElseThrow()) {
                mounted.add(((JsonString) route).value().replace("+}", "}"));
            }
        }
        assertTrue(mounted.size() > 80, "only " + mounted.size());
        assertEquals(mounted, described(node));
    }

    /** Real answers beside their schemas, refusals too. */
    @Test
    void whatTheServerAnswersIsWhatTheDocumentSays(ServingNode node) throws Exception {
        node.postJson(
                "/v1/chat/completions",
                "{\"model\":\"skulk/tiny-chat-4bit\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        JsonObject document = node.process().json("/api/openapi.json");
        List<String> wrong = new ArrayList<>();
        int checked = 0;
        for (Map.Entry<String, Json> path : paths(node).members().entrySet()) {
            for (Map.Entry<String, Json> operation :
                    ((JsonObject) path.getValue()).members().entrySet()) {
                boolean spared = Set.of("/admin/restart", "/plugins/rescan").contains(path.getKey());
                if (Set.of("head", "put").contains(operation.getKey()) || spared) {
                    continue;
                }
                checked += check(node, new Asked(document, path.getKey(), operation.getKey()), wrong);
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(checked > 80, "only " + checked + " answers have a schema");
    }

    private record Asked(JsonObject document, String path, String method) {}

    /** Asks with placeholders for names that nobody has, and without what a body needs. */
    private static int check(ServingNode node, Asked asked, List<String> wrong) throws Exception {
        String address = asked.path().replaceAll("\\{[^}]+}", "absent")
                + (asked.path().startsWith("/instance/p") ? "?model_id=skulk/tiny-chat-4bit" : "");
        HttpResponse<String> answer =
                switch (asked.method()) {
                    case "get" -> node.process().get(address);
                    case "delete" -> node.process().delete(address);
                    default -> node.post(address, "{\"surprise\":1}");
                };
        String at = "/paths/%s/%s/responses/%d/content/application~1json/schema"
                .formatted(asked.path().replace("/", "~1"), asked.method(), answer.statusCode());
        JsonNode schema = JACKSON.readTree(asked.document().toString()).at(at);
        if (schema.isMissingNode() || schema.isEmpty()) {
            boolean undescribed = answer.statusCode() >= 400
                    && JACKSON.readTree(asked.document().toString())
                            .at(at.substring(0, at.indexOf("/content")))
                            .isMissingNode();
            if (undescribed) {
                wrong.add("%s %s: %d is not described: %s"
                        .formatted(asked.method(), asked.path(), answer.statusCode(), answer.body()));
            }
            return 0;
        }
        ObjectNode whole = (ObjectNode) JACKSON.readTree(asked.document().toString());
        whole.setAll((ObjectNode) schema);
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(whole)
                .validate(JACKSON.readTree(answer.body()))
                .forEach(message -> wrong.add(
                        "%s %s %d: %s".formatted(asked.method(), asked.path(), answer.statusCode(), message)));
        return 1;
    }

    @Test
    void everyPlaceholderAndReferenceIsDefined(ServingNode node) throws Exception {
        JsonObject document = node.process().json("/api/openapi.json");
        assertTrue(document.string("openapi").orElseThrow().startsWith("3.1"));
        Set<String> schemas = document.object("components")
                .flatMap(c -> c.object("schemas"))
                .orElseThrow()
                .members()
                .keySet();
        Matcher reference = Pattern.compile("#/components/schemas/([A-Za-z]+)").matcher(document.toString());
        while (reference.find()) {
            assertTrue(schemas.contains(reference.group(1)), reference.group());
        }
        for (Map.Entry<String, Json> path : paths(node).members().entrySet()) {
            for (Json operation : ((JsonObject) path.getValue()).members().values()) {
                long inPath = ((JsonObject) operation)
                        .array("parameters").stream()
                                .flatMap(all -> all.items().stream())
                                .filter(p -> ((JsonObject) p)
                                        .string("in")
                                        .orElseThrow()
                                        .equals("path"))
                                .count();
                assertEquals(path.getKey().chars().filter(c -> c == '{').count(), inPath, path.getKey());
            }
        }
    }

    @Test
    void thePageNeedsNothingFromOutside(ServingNode node) throws Exception {
        for (String page : List.of("/api/docs", "/api/redoc")) {
            String html = node.process().get(page).body();
            assertTrue(html.contains("openapi.json"));
            assertFalse(html.matches("(?s).*(src|href)=\"(https?:)?//.*"), page);
        }
    }
}
