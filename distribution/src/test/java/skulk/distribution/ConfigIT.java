package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** {@code PUT /config} on one node of two: what goes for all reaches all, what describes a machine and what is secret stays where it is. */
class ConfigIT {
    private static final String CONFIG = """
            {"config": {"node": {"memory_threshold": 0.5}, "tracing": {"retention_days": %d}, "hf_token": "hf_of_attic"}}""";

    @TempDir
    private Path temp;

    private TestCluster cluster;
    private SkulkProcess attic;

    @BeforeEach
    void start() throws Exception {
        write("attic", "hf_token: hf_of_attic\ntracing:\n  retention_days: 3\n");
        write("cellar", """
                hf_token: hf_of_cellar
                node:
                  memory_threshold: 0.25
                tracing:
                  retention_days: 3
                """);
        cluster = new TestCluster(temp);
        attic = cluster.start("attic");
        cluster.start("cellar");
        TestCluster.awaitAgreement(cluster.alive());
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void write(String name, String yaml) throws IOException {
        Files.writeString(Files.createDirectories(temp.resolve(name)).resolve("skulk.yaml"), yaml);
    }

    private String yaml(String name) throws IOException {
        return Files.readString(temp.resolve(name).resolve("skulk.yaml"));
    }

    private JsonObject put(String body, int status) throws Exception {
        var answer = attic.put("/config", body);
        assertEquals(status, answer.statusCode(), answer.body());
        return (JsonObject) Json.parse(answer.body());
    }

    @Test
    void allNodesGetWhatGoesForAllOfThem() throws Exception {
        assertEquals(
                "{\"success\":true,\"message\":\"Configuration saved; restart the nodes to apply it\",\"requiresRestart\":true}",
                put(CONFIG.formatted(7), 200).toString());
        assertTrue(yaml("attic").contains("retention_days: 7") && yaml("attic").contains("hf_of_attic"));
        assertTrue(yaml("cellar").contains("retention_days: 7"), yaml("cellar"));
        assertTrue(yaml("cellar").contains("hf_of_cellar") && yaml("cellar").contains("memory_threshold: 0.25"));
        assertFalse(yaml("cellar").contains("hf_of_attic"), "a token stays where it was given");
        for (String name : new String[] {"attic", "cellar"}) {
            JsonObject told = cluster.node(name).json("/config");
            assertFalse(told.toString().contains("hf_of"), told.toString());
            assertEquals("{\"retention_days\":7}", config(told, "tracing"));
            assertEquals("skulk.yaml", told.string("configPath").orElseThrow());
            assertTrue(told.bool("fileExists").orElseThrow());
            assertEquals(
                    "default",
                    told.object("effective")
                            .orElseThrow()
                            .string("kv_cache_backend")
                            .orElseThrow());
            assertTrue(told.object("effective").orElseThrow().has("has_hf_token"));
        }
        assertTrue(
                put(CONFIG.formatted(7), 200).toString().contains("unchanged; restart"),
                "the nodes still run the old one");
        assertEquals(
                "{\"success\":true,\"message\":\"Configuration saved\",\"requiresRestart\":false}",
                put("{\"tracing\":{\"retention_days\":3}}", 200).toString(),
                "the bare object; back to what the nodes run with");
        assertTrue(yaml("attic").contains("hf_of_attic"));
    }

    @Test
    void whatDoesNotFitIsWrittenNowhere() throws Exception {
        String attics = yaml("attic");
        String cellars = yaml("cellar");
        assertEquals(
                "{\"error\":{\"message\":\"'config' field must be a JSON object.\",\"type\":\"Unprocessable Entity\",\"param\":null,\"code\":422}}",
                put("{\"config\": 5}", 422).toString());
        for (String wrong : new String[] {
            "{\"model_store\":{\"stor_host\":\"x\"}}", "{\"tracing\":{\"retention_days\":-1}}", "{\"model_store\":5}"
        }) {
            JsonObject error = put(wrong, 422).object("error").orElseThrow();
            assertEquals("Unprocessable Entity", error.string("type").orElseThrow());
            assertTrue(
                    error.string("message").orElseThrow().matches(".*(model_store|retention_days).*"),
                    error.toString());
        }
        assertEquals(attics, yaml("attic"));
        assertEquals(cellars, yaml("cellar"));
    }

    private static String config(JsonObject told, String section) {
        return told.object("config").orElseThrow().object(section).orElseThrow().toString();
    }
}
