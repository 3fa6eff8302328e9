package skulk.kernel.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

class ConfigurationTest {
    private static final Path FILE = Path.of("skulk.yaml");

    @TempDir
    private Path temp;

    private static Configuration of(String yaml, Map<String, String> environment, Map<String, String> flags) {
        Map<String, Configuration.Setting> settings = new java.util.HashMap<>();
        flags.forEach((key, value) -> settings.put(key, new Configuration.Setting(new JsonString(value), "--flag")));
        return Resolver.resolve(ConfigurationFile.parse(FILE, yaml), environment, settings);
    }

    private static String refusal(String yaml) {
        return assertThrows(ConfigurationException.class, () -> of(yaml, Map.of(), Map.of()))
                .getMessage();
    }

    @Test
    void laysFlagsOverEnvironmentOverFileOverDefaults() {
        String yaml = "inference:\n  kv_cache_backend: f32\n";
        assertEquals("default", of("", Map.of(), Map.of()).get(Keys.KV_BACKEND));
        assertEquals("f32", of(yaml, Map.of(), Map.of()).get(Keys.KV_BACKEND));
        Map<String, String> environment = Map.of("SKULK_KV_CACHE_BACKEND", "bf16");
        assertEquals("bf16", of(yaml, environment, Map.of()).get(Keys.KV_BACKEND));
        Map<String, String> flags = Map.of("inference.kv_cache_backend", "default");
        Configuration all = of(yaml, environment, flags);
        assertEquals("default", all.get(Keys.KV_BACKEND));
        assertEquals("--flag", all.values().get("inference.kv_cache_backend").source());
        assertEquals(
                "skulk.yaml:2",
                of(yaml, Map.of(), Map.of())
                        .values()
                        .get("inference.kv_cache_backend")
                        .source());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'model_store:\n  stor_host: x' | skulk.yaml:2 | model_store.store_host",
                "'loging:\n  enabled: true' | skulk.yaml:1 | logging",
                "'model_store:\n  store_port: many' | skulk.yaml:2 | whole number",
                "'model_store:\n  store_port: 70000' | 70000 | 65535",
                "'tracing:\n  retention_days: [1]' | tracing.retention_days | whole number",
                "'offline: perhaps' | skulk.yaml:1 | true or false",
                "'model_store: 5' | skulk.yaml:1 | section",
                "'offline: true\noffline: false' | skulk.yaml:2 | duplicate",
                "'a: !!javax.script.ScriptEngineManager []' | skulk.yaml | a",
                "'a: [1' | skulk.yaml:1 | ','",
                "'- a' | skulk.yaml | mapping",
                "'plugins:\n  requird: [x]' | plugins.requird | plugins.required"
            })
    void refusesWhatItDoesNotKnowAndSaysWhere(String yaml, String place, String hint) {
        String message = refusal(yaml);
        assertTrue(message.contains(place) && message.contains(hint), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void boundsAliases() {
        StringBuilder yaml = new StringBuilder("a0: &a0 [x, x]\n");
        for (int i = 1; i < 30; i++) {
            yaml.append("a%1$d: &a%1$d [*a%2$d, *a%2$d]%n".formatted(i, i - 1));
        }
        assertTrue(refusal(yaml.toString()).contains("alias"));
        refusal("plugins:\n  x: &a\n    b: *a\n"); // contains itself
    }

    @Test
    void namesTheVariableThatDoesNotFit() {
        String message = assertThrows(
                        ConfigurationException.class,
                        () -> of("", Map.of("SKULK_MAX_CONCURRENT_REQUESTS", "lots"), Map.of()))
                .getMessage();
        assertTrue(message.contains("SKULK_MAX_CONCURRENT_REQUESTS") && message.contains("lots"), message);
        assertFalse(of("", Map.of("SKULK_NO_BATCH", "1"), Map.of()).get(Keys.BATCH));
        assertTrue(of("", Map.of("SKULK_OFFLINE", "true"), Map.of()).get(Keys.OFFLINE));
        assertEquals(
                List.of("a:1", "b:2"),
                of("", Map.of("SKULK_BOOTSTRAP_PEERS", "a:1, b:2"), Map.of()).get(Keys.BOOTSTRAP_PEERS));
    }

    @Test
    void keepsPluginSectionsForTheirPlugins() {
        Configuration configuration =
                of("plugins:\n  storage-hub:\n    parallel: 4\n  required: [runner-mlx]\n", Map.of(), Map.of());
        assertEquals(4L, configuration.plugin("storage-hub").integer("parallel").orElseThrow());
        assertEquals(List.of("runner-mlx"), configuration.get(Keys.PLUGINS_REQUIRED));
        assertEquals(
                "skulk.yaml:3",
                configuration.place("plugins.storage-hub.parallel").orElseThrow());
    }

    @Test
    void writesAtomicallyAndKeepsSecretsAndLogging() throws IOException {
        Path path = temp.resolve("skulk.yaml");
        Files.writeString(
                path, "hf_token: secret\nlogging:\n  enabled: true\n  ingest_url: http://x\ncluster:\n  secret: s\n");
        ConfigurationFile before = ConfigurationFile.read(path);
        assertEquals(
                "{\"logging\":{\"enabled\":true,\"ingest_url\":\"http://x\"},\"cluster\":{}}",
                before.shown().toString());
        before.write((JsonObject) Json.parse("{\"tracing\":{\"retention_days\":7},\"cluster\":{\"port\":1}}"));
        ConfigurationFile after = ConfigurationFile.read(path);
        assertEquals("secret", after.root().string("hf_token").orElseThrow());
        assertEquals(
                "s",
                after.root().object("cluster").orElseThrow().string("secret").orElseThrow());
        assertEquals(
                1, after.root().object("cluster").orElseThrow().integer("port").orElseThrow());
        assertTrue(after.root().object("logging").orElseThrow().bool("enabled").orElseThrow());
        assertThrows(ConfigurationException.class, () -> after.write(JsonObject.of("nope", 1)));
        assertEquals(after.root(), ConfigurationFile.read(path).root());
        try (var files = Files.list(temp)) {
            assertEquals(1, files.count(), "no partial file is left");
        }
    }

    @Test
    void explainsEveryKeyAndHidesSecrets() {
        Configuration configuration = of("hf_token: secret\n", Map.of(), Map.of());
        Explanation explanation = Explanation.of(
                configuration, List.of(new Explanation.PluginKey("hub", "parallel", "4", "connections")));
        assertEquals(Keys.ALL.size() + 1, explanation.lines().size());
        assertFalse(explanation.text().contains("secret  ("), explanation.text());
        assertTrue(explanation.text().contains("hf_token = (hidden)  (skulk.yaml:1)"), explanation.text());
        assertTrue(explanation.markdown().contains("| `plugins.hub.parallel` | `4` | connections |"));
    }

    @Test
    void findsTheNearestName() {
        assertEquals("serve", Nearest.to("sreve", List.of("demo", "serve")).orElseThrow());
        assertTrue(Nearest.to("zzzzzz", List.of("demo", "serve")).isEmpty());
        assertEquals(3, Nearest.distance("kitten", "sitting"));
    }

    @Test
    void whatGoesForAllNodesLeavesTheMachinesOwnAlone() throws Exception {
        Path file = temp.resolve("skulk.yaml");
        Files.writeString(file, """
                hf_token: hf_mine
                node:
                  name: cellar
                cluster:
                  secret: ours
                tracing:
                  retention_days: 9
                """);
        JsonObject told = (JsonObject) Json.parse("""
                {"hf_token": "hf_theirs", "node": {"name": "attic"}, "api": {"port": 1}, "offline": true,
                 "model_store": {"store_host": "attic", "staging": {"staging_keep_recent_gb": 5}}}
                """);
        assertEquals(
                "{\"model_store\":{\"store_host\":\"attic\",\"staging\":{\"staging_keep_recent_gb\":5}}}",
                ConfigurationFile.shared(told).toString());
        JsonObject after = ConfigurationFile.read(file).adopt(told).root();
        assertEquals("hf_mine", after.string("hf_token").orElseThrow());
        assertEquals("{\"name\":\"cellar\"}", after.object("node").orElseThrow().toString());
        assertEquals(
                "{\"secret\":\"ours\"}", after.object("cluster").orElseThrow().toString());
        assertFalse(after.has("api") || after.has("offline") || after.has("tracing"), after.toString());
        assertEquals(
                "attic",
                after.object("model_store").orElseThrow().string("store_host").orElseThrow());
    }

    @Test
    void aRunDiffersFromAFileThatWouldGiveItOtherValues() {
        Configuration run = of(
                "tracing:\n  retention_days: 3\nplugins:\n  x:\n    a: 1\n",
                Map.of("SKULK_NODE_NAME", "attic"),
                Map.of("api.port", "1"));
        String same = "plugins:\n  x:\n    a: 1\n\n\ntracing:\n  retention_days: 3\n";
        assertFalse(run.differs(ConfigurationFile.parse(FILE, same)));
        assertFalse(
                run.differs(ConfigurationFile.parse(FILE, same + "node:\n  name: cellar\napi:\n  port: 2\n")),
                "a flag and the environment win");
        assertTrue(run.differs(ConfigurationFile.parse(FILE, same.replace("3", "4"))));
        assertTrue(run.differs(ConfigurationFile.parse(FILE, same.replace("a: 1", "a: 2"))));
        assertTrue(run.differs(ConfigurationFile.parse(FILE, same + "offline: true\n")));
        assertTrue(run.differs(ConfigurationFile.parse(FILE, "plugins:\n  x:\n    a: 1\n")), "a key less");
    }

    @Test
    void secretsOfPluginsAreNeitherShownNorLost() throws Exception {
        Path file = temp.resolve("skulk.yaml");
        Files.writeString(
                file, "plugins:\n  required: [x]\n  membership-jgroups:\n    secret: ours\n    bind: 10.0.0.1\n");
        ConfigurationFile before = ConfigurationFile.read(file);
        assertEquals(
                "{\"plugins\":{\"required\":[\"x\"],\"membership-jgroups\":{\"bind\":\"10.0.0.1\"}}}",
                before.shown().toString());
        assertEquals(
                "ours",
                before.write(before.shown())
                        .root()
                        .object("plugins")
                        .flatMap(p -> p.object("membership-jgroups"))
                        .flatMap(p -> p.string("secret"))
                        .orElseThrow());
    }
}
