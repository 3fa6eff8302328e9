package skulk.http.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.http.Route;
import skulk.api.json.JsonObject;

class OperatorPluginTest {
    private static List<Route> routes() throws Exception {
        return ((HttpFeature) new OperatorPlugin().start(FakeContext.create()).getFirst()).routes();
    }

    @Test
    void startsAndStopsTwice() throws Exception {
        for (int i = 0; i < 2; i++) {
            OperatorPlugin plugin = new OperatorPlugin();
            assertEquals(
                    "operator", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void noRouteTwice() throws Exception {
        Set<String> seen = new HashSet<>();
        for (Route route : routes()) {
            assertTrue(seen.add(route.method() + " " + route.path().replaceAll("\\{[^}]*}", "{}")), route.path());
        }
    }

    @Test
    void everyRouteIsDescribedWithItsScope() throws Exception {
        Set<String> described = ApiDescription.builtIn().lines().stream()
                .map(l -> l.method() + " " + l.path() + " " + l.scope())
                .collect(Collectors.toSet());
        for (Route route : routes()) {
            String line = route.method() + " " + route.path() + " " + route.scope();
            assertTrue(described.contains(line), "api-routes.txt lacks: " + line);
        }
    }

    @Test
    void theDescriptionIsServedAsOpenApi() {
        JsonObject document = new Operator().get("/api/openapi.json").jsonResponse();
        assertEquals("3.1.0", document.string("openapi").orElseThrow());
        JsonObject paths = document.object("paths").orElseThrow();
        JsonObject place =
                paths.object("/place_instance").orElseThrow().object("post").orElseThrow();
        assertTrue(place.toString().contains("#/components/schemas/PlaceInstance"));
        assertTrue(place.object("responses").orElseThrow().has("503"));
        JsonObject download = paths.object("/download/{node}/{model}")
                .orElseThrow()
                .object("delete")
                .orElseThrow();
        assertEquals(2, download.array("parameters").orElseThrow().size());
        String ids = document.toString().replaceAll(".*?\"operationId\":\"([^\"]+)\"|.+$", "$1 ");
        List<String> all = List.of(ids.trim().split("\\s+"));
        assertEquals(all.size(), Set.copyOf(all).size(), "operation ids are unique");
    }

    @Test
    void everyReferenceLeadsToASchema() {
        JsonObject document = ApiDescription.builtIn().document();
        JsonObject schemas =
                document.object("components").orElseThrow().object("schemas").orElseThrow();
        var references =
                java.util.regex.Pattern.compile("#/components/schemas/(\\w+)").matcher(document.toString());
        int found = 0;
        while (references.find()) {
            found++;
            assertTrue(schemas.has(references.group(1)), references.group(1));
        }
        assertTrue(found > 50, "only " + found);
    }

    @Test
    void thePageNeedsNothingFromOutside() {
        String page = new Operator().get("/api/docs").text();
        assertTrue(page.contains("/api/openapi.json"));
        assertTrue(!page.contains("http://") && !page.contains("https://"));
        assertEquals(
                "text/html; charset=utf-8",
                new Operator().get("/api/redoc").response().contentType());
    }
}
