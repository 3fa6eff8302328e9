package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** The OpenAPI document beside the routes that a running node answers. */
@ExtendWith(SharedNode.class)
class ApiDescriptionIT {
    private static final List<String> METHODS = List.of("get", "put", "post", "delete", "patch");

    private static JsonObject paths(ServingNode node) throws Exception {
        return node.process().json("/api/openapi.json").object("paths").orElseThrow();
    }

    /** What the document has for one path, placeholders as a pattern. */
    private record Described(Pattern pattern, Set<String> methods) {
        static Described of(String path, JsonObject operations) {
            boolean slashes = operations.toString().contains("May contain slashes.");
            String expression = path.replaceAll("\\{[^}]+}", slashes ? ".+" : "[^/]+");
            Set<String> methods = new TreeSet<>(operations.members().keySet());
            methods.retainAll(METHODS);
            return new Described(Pattern.compile(expression), methods);
        }
    }

    /** No route takes PATCH, and a refusal names the methods that an address has, by whatever route; every GET answers HEAD too. */
    @Test
    void everyDescribedRouteIsMountedAndNoOtherMethod(ServingNode node) throws Exception {
        Map<String, Json> paths = paths(node).members();
        List<Described> all = paths.entrySet().stream()
                .map(path -> Described.of(path.getKey(), (JsonObject) path.getValue()))
                .toList();
        assertTrue(all.size() > 80, "only " + all.size());
        List<String> wrong = new ArrayList<>();
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            for (String path : paths.keySet()) {
                String address = path.replaceAll("\\{[^}]+}", "absent");
                Set<String> described = new TreeSet<>();
                all.stream()
                        .filter(d -> d.pattern().matcher(address).matches())
                        .forEach(d -> described.addAll(d.methods()));
                HttpRequest patch = HttpRequest.newBuilder(URI.create(node.url() + address))
                        .method("PATCH", HttpRequest.BodyPublishers.noBody())
                        .build();
                HttpResponse<String> answer = client.send(patch, HttpResponse.BodyHandlers.ofString());
                Set<String> mounted = mounted(answer);
                if (answer.statusCode() != 405 || !mounted.equals(described)) {
                    wrong.add("%s: described %s, mounted %s, %d"
                            .formatted(path, described, mounted, answer.statusCode()));
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static Set<String> mounted(HttpResponse<String> refusal) {
        Set<String> methods = new TreeSet<>();
        refusal.headers().firstValue("Allow").stream()
                .flatMap(allow -> Stream.of(allow.split(",")))
                .map(method -> method.trim().toLowerCase(Locale.ROOT))
                .filter(METHODS::contains)
                .forEach(methods::add);
        return methods;
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
