package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * A node whose memory has gone between the placement and the load refuses, and the model comes up one node wider. What memory a node believes to have comes from a probe
 * that reads it from a file: later probes correct earlier ones.
 */
class RefusalIT {
    private static final String TOY = "test/toy";
    private static final long PLENTY = 8_000_000_000L;

    @TempDir
    private Path temp;

    @Test
    void memoryThatIsGoneAtTheLoadPlacesTheModelWider() throws Exception {
        Path models = temp.resolve("models");
        ToyModel.write(models.resolve("test--toy"));
        try (TestCluster cluster = new TestCluster(temp)) {
            List<SkulkProcess> nodes = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                has(name, PLENTY);
                probe(temp.resolve(name));
                nodes.add(cluster.start(name, "--set", "models.directory=" + models));
            }
            TestCluster.awaitAgreement(nodes);
            SkulkProcess a = nodes.getFirst();
            String id = TestCluster.id(a);
            awaitMemory(a, id, PLENTY);
            JsonObject preview = preview(a, TestCluster.id(nodes.getLast()));
            long whole = preview.object("forecast")
                    .flatMap(f -> f.object("required_bytes_by_node"))
                    .flatMap(r -> r.integer(id))
                    .orElseThrow();
            // a tenth may be missing; half of the layers fit
            long left = (long) (whole / 1.13);
            has("a", left);
            awaitMemory(a, id, left);
            HttpResponse<String> created = a.post(
                    "/instance",
                    JsonObject.of("instance", preview.object("instance").orElseThrow())
                            .toString());
            assertEquals(200, created.statusCode(), created.body());
            await().atMost(TestCluster.PATIENCE).until(() -> width(a) == 2);
            TestCluster.awaitServing(nodes);
            assertEquals(Set.of(2), Set.of(width(a)));
            String health = a.json("/state")
                    .object("nodeHealth")
                    .flatMap(h -> h.object(id))
                    .map(Json::toString)
                    .orElse("");
            assertTrue(health.contains("placement_refused"), health);
            assertTrue(health.matches(".*test/toy needs ~0\\.\\dGB .*but can use 0\\.\\dGB.*"), health);
        }
    }

    private void has(String node, long bytes) throws Exception {
        Files.writeString(Files.createDirectories(temp.resolve(node)).resolve("ram"), Long.toString(bytes));
    }

    /** How many nodes the only instance spans; 0 where there is none. */
    private static int width(SkulkProcess node) throws Exception {
        JsonObject instances = node.json("/state").object("instances").orElseThrow();
        if (instances.members().size() != 1) {
            return 0;
        }
        JsonObject tagged = (JsonObject) instances.members().firstEntry().getValue();
        return ((JsonObject) tagged.members().firstEntry().getValue())
                .object("shardAssignments")
                .flatMap(s -> s.object("nodeToRunner"))
                .orElseThrow()
                .members()
                .size();
    }

    private static JsonObject preview(SkulkProcess node, String excluded) throws Exception {
        return (JsonObject) node.json("/instance/previews?model_id=" + TOY + "&excluded_node_ids=" + excluded)
                .array("previews")
                .orElseThrow()
                .items()
                .getFirst();
    }

    private static void awaitMemory(SkulkProcess node, String id, long bytes) {
        await().atMost(TestCluster.PATIENCE)
                .until(() -> node.json("/state")
                        .object("nodeMemory")
                        .flatMap(m -> m.object(id))
                        .flatMap(m -> m.object("ramAvailable"))
                        .flatMap(m -> m.integer("inBytes"))
                        .orElse(0L)
                        .equals(bytes));
    }

    private static void probe(Path home) throws Exception {
        String start = """
                java.nio.file.Path file = java.nio.file.Path.of("%s");
                return java.util.List.of(new skulk.api.HardwareProbe() {
                    public String name() { return "ram"; }
                    public skulk.api.cluster.NodeInfo read() {
                        try {
                            var total = new skulk.api.cluster.Memory(16_000_000_000L);
                            var free = new skulk.api.cluster.Memory(Long.parseLong(java.nio.file.Files.readString(file)));
                            var none = skulk.api.cluster.Memory.NONE;
                            return new skulk.api.cluster.NodeInfo(java.time.Instant.now(), java.util.Optional.empty(),
                                java.util.Optional.of(new skulk.api.cluster.NodeInfo.MemoryUsage(total, free, none, none)),
                                java.util.Optional.empty(), java.util.Optional.empty(), java.util.List.of(), java.util.Optional.empty());
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    }
                });
                """.formatted(home.resolve("ram"));
        PluginSources.jar(
                home.resolve("plugins.d/ram.jar"), PluginSources.plugin("ram", "requires skulk.api; ", start));
    }
}
