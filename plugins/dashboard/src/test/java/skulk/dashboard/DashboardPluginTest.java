package skulk.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;

class DashboardPluginTest {
    private static final Pattern REFERENCE =
            Pattern.compile("(?:from|import|src=|href=)\\s*\\(?['\"](\\.?/[^'\"]+)['\"]");

    private static HttpFeature feature() throws Exception {
        return (HttpFeature) new DashboardPlugin().start(FakeContext.create()).getFirst();
    }

    private static FakeExchange asset(String name) throws Exception {
        return new FakeExchange().pathParameter("file", name).run(feature(), "GET", "/assets/{file+}");
    }

    @Test
    void startsAndStopsTwice() throws Exception {
        for (int i = 0; i < 2; i++) {
            DashboardPlugin plugin = new DashboardPlugin();
            assertEquals(
                    "dashboard", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void everyPageIsTheShell() throws Exception {
        for (String page : List.of("/", "/cluster", "/model-store", "/chat", "/operator")) {
            FakeExchange exchange = new FakeExchange().run(feature(), "GET", page);
            assertEquals(200, exchange.status());
            assertEquals("text/html; charset=utf-8", exchange.response().contentType());
            assertTrue(exchange.text().contains("/assets/app.js"));
        }
    }

    @Test
    void filesHaveTheirTypesAndTags() throws Exception {
        assertEquals(
                "text/javascript; charset=utf-8", asset("app.js").response().contentType());
        assertEquals("text/css; charset=utf-8", asset("app.css").response().contentType());
        FakeExchange first = asset("app.js");
        String tag = first.response().headers().get("ETag");
        FakeExchange again = new FakeExchange()
                .pathParameter("file", "app.js")
                .header("If-None-Match", tag)
                .run(feature(), "GET", "/assets/{file+}");
        assertEquals(304, again.status());
        assertEquals(0, again.response().body().length);
        assertEquals(tag, again.response().headers().get("ETag"));
        assertEquals("no-cache", first.response().headers().get("Cache-Control"));
    }

    @Test
    void nothingElseCanBeRead() throws Exception {
        for (String name : List.of("none.js", "../DashboardPlugin.class", "files.txt", "/etc/passwd", "")) {
            assertEquals(404, asset(name).status(), name);
        }
    }

    @Test
    void everyReferenceLeadsToAFileAndNoneLeavesTheNode() {
        Map<String, Asset> files = Assets.load().files();
        int followed = 0;
        for (Map.Entry<String, Asset> file : files.entrySet()) {
            String text = new String(file.getValue().bytes(), StandardCharsets.UTF_8);
            assertFalse(
                    text.replace("http://www.w3.org/2000/svg", "").matches("(?s).*https?://[a-z].*"), file.getKey());
            Matcher references = REFERENCE.matcher(text);
            while (references.find()) {
                String target = references.group(1).replaceFirst("^(\\./|/assets/)", "");
                if (target.startsWith("/")) {
                    continue; // a page or an endpoint
                }
                followed++;
                assertTrue(files.containsKey(target), file.getKey() + " refers to " + references.group(1));
            }
        }
        assertTrue(followed > 10, "only " + followed + " references");
    }
}
