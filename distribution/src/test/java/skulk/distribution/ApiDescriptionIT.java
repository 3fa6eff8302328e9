package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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
        Description description = Description.of(node.process().json("/api/openapi.json"));
        List<String> wrong = new ArrayList<>();
        int checked = 0;
        for (Map.Entry<String, Json> path : paths(node).members().entrySet()) {
            for (Map.Entry<String, Json> operation :
                    ((JsonObject) path.getValue()).members().entrySet()) {
                boolean spared = Set.of("/admin/restart", "/plugins/rescan").contains(path.getKey());
                if (Set.of("head", "put").contains(operation.getKey()) || spared) {
                    continue;
                }
                checked += check(node, description, operation.getKey(), path.getKey(), wrong) ? 1 : 0;
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(checked > 80, "only " + checked + " answers have a schema");
    }

    /** Asks with placeholders for names that nobody has, and without what a body needs. @return whether the answer has a schema */
    private static boolean check(
            ServingNode node, Description description, String method, String path, List<String> wrong)
            throws Exception {
        String address = path.replaceAll("\\{[^}]+}", "absent")
                + (path.startsWith("/instance/p") ? "?model_id=skulk/tiny-chat-4bit" : "");
        HttpResponse<String> answer =
                switch (method) {
                    case "get" -> node.process().get(address);
                    case "delete" -> node.process().delete(address);
                    default -> node.post(address, "{\"surprise\":1}");
                };
        JsonNode content = description.content(method, path, answer);
        if (content.isMissingNode()) {
            wrong.add("%s %s: %d of this type is not described: %s"
                    .formatted(method, path, answer.statusCode(), answer.body()));
        }
        JsonNode schema = content.path("schema");
        boolean json = schema.has("$ref");
        if (json) {
            wrong.addAll(description.faults(method, path, answer));
        }
        return json;
    }

    /** Every route that models answer, whole and as a stream, with bodies that use most of the fields: each piece fits its schema. */
    @Test
    void whatModelsAnswerIsWhatTheDocumentSays(ServingNode node) throws Exception {
        Description description = Description.of(node.process().json("/api/openapi.json"));
        List<String> wrong = new ArrayList<>();
        Map<String, Integer> checked = new TreeMap<>();
        for (String path : paths(node).members().keySet()) {
            boolean model = path.matches(
                    "/(v1|bench)/.*(completions|responses|embeddings|messages|count_tokens)|(/ollama)?/api/.*");
            for (Json good : model ? GoodBodies.of(path) : List.<Json>of()) {
                for (String stream : List.of("true", "false")) {
                    String body = good.toString().replaceFirst("\"stream\":(true|false)", "\"stream\":" + stream);
                    HttpResponse<String> answer = node.post(path, body);
                    assertEquals(200, answer.statusCode(), path + " " + body + " -> " + answer.body());
                    JsonNode content = description.content("post", path, answer);
                    for (String piece : pieces(answer)) {
                        checked.merge(path, 1, Integer::sum);
                        JsonNode items = content.path("x-item-schema");
                        wrong.addAll(description.faults(
                                path, items.isMissingNode() ? content.path("schema") : items, piece));
                    }
                }
            }
        }
        assertEquals(List.of(), wrong.stream().limit(5).toList(), wrong.size() + " faults");
        assertEquals(27, checked.size(), checked::toString);
    }

    /** Routes with a name in their path, asked for one that there is. */
    @Test
    void whatIsThereIsAsTheDocumentSays(ServingNode node) throws Exception {
        Description description = Description.of(node.process().json("/api/openapi.json"));
        String instance = node.process()
                .json("/state")
                .object("instances")
                .orElseThrow()
                .members()
                .keySet()
                .iterator()
                .next();
        String response = node.postJson(
                        "/v1/responses",
                        GoodBodies.of("/v1/responses")
                                .getFirst()
                                .toString()
                                .replace("\"stream\":true", "\"stream\":false"))
                .string("id")
                .orElseThrow();
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<String, String> route : Map.of(
                        "/v1/models/{id}", "/v1/models/" + ServingNode.TINY,
                        "/v1/responses/{id}", "/v1/responses/" + response,
                        "/instance/{id}", "/instance/" + instance)
                .entrySet()) {
            HttpResponse<String> answer = node.process().get(route.getValue());
            assertEquals(200, answer.statusCode(), answer.body());
            wrong.addAll(description.faults("get", route.getKey(), answer));
        }
        HttpResponse<String> deleted = node.process().delete("/v1/responses/" + response);
        wrong.addAll(description.faults("delete", "/v1/responses/{id}", deleted));
        assertEquals(List.of(), wrong);
    }

    /** The JSON texts of an answer. */
    private static List<String> pieces(HttpResponse<String> answer) {
        String type = answer.headers().firstValue("Content-Type").orElse("");
        if (type.startsWith("text/event-stream")) {
            return answer.body()
                    .lines()
                    .filter(line -> line.startsWith("data: {"))
                    .map(line -> line.substring("data: ".length()))
                    .toList();
        }
        return type.startsWith("application/x-ndjson") ? answer.body().lines().toList() : List.of(answer.body());
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
