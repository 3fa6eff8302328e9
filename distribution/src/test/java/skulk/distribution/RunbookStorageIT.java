package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** The operator's chapter on storage, command by command as an operator types them, with pictures of the disk before and after. */
class RunbookStorageIT extends StorageNodes {
    private static final String PICTURE = "curl http://localhost:52415/store/storage";
    private static final String PURGE_ALL = """
            curl -X POST http://localhost:52415/store/purge-staging \\
            -H "Content-Type: application/json" -d '{}'""";
    private static final String PURGE_ONE = """
            curl -X POST http://localhost:52415/store/purge-staging \\
            -H "Content-Type: application/json" \\
            -d '{"modelId": "%s"}'""";

    private SkulkProcess host;
    private SkulkProcess node;
    private Path copy;

    @BeforeEach
    void startHost() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "needs curl");
        openStore();
        host = host();
        copy = temp.resolve("cellar/staging").resolve(FOLDER);
    }

    /** A node whose {@code skulk.yaml} has the staging section given. */
    private void node(String staging) throws Exception {
        Path home = Files.createDirectories(temp.resolve("cellar"));
        Files.writeString(home.resolve("skulk.yaml"), "model_store:\n" + staging.indent(2));
        node = client();
    }

    private void placed() throws Exception {
        placeOn(node, host);
        awaitReady(node);
        assertTrue(Files.exists(copy.resolve("config.json")));
    }

    /** Runs a command of the runbook against the node and answers what it printed. */
    private String type(String command) throws Exception {
        String here = command.replace(
                "localhost:52415", "127.0.0.1:" + URI.create(node.url()).getPort());
        Process shell = new ProcessBuilder("bash", "-c", here.replaceFirst("^curl", "curl -sS")).start();
        String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(
                0,
                shell.waitFor(),
                here + "\n" + new String(shell.getErrorStream().readAllBytes()));
        return output;
    }

    /** What {@code GET /store/storage} says, after it was compared with the disk. */
    private List<JsonObject> picture() throws Exception {
        JsonObject report = (JsonObject) Json.parse(type(PICTURE));
        assertEquals(
                temp.resolve("cellar/staging").toString(),
                report.string("stagingRoot").orElseThrow());
        assertTrue(report.integer("diskFreeBytes").orElse(0L) > 0 && report.has("eventLogBytes"), report.toString());
        List<JsonObject> models = report.array("stagedModels").orElseThrow().items().stream()
                .map(JsonObject.class::cast)
                .toList();
        for (JsonObject model : models) {
            Path folder = Path.of(model.string("directory").orElseThrow());
            assertEquals(bytes(folder), model.integer("sizeBytes").orElseThrow());
            assertEquals(
                    Files.getLastModifiedTime(folder.resolve(".last_used")).toMillis() / 1e3,
                    model.number("lastUsedEpochSeconds").orElseThrow(),
                    0.01);
        }
        assertEquals(
                models.stream()
                        .mapToLong(m -> m.integer("sizeBytes").orElseThrow())
                        .sum(),
                report.integer("stagedTotalBytes").orElseThrow());
        return models;
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            long sum = 0;
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sum += Files.size(file);
            }
            return sum;
        }
    }

    private static boolean inUse(List<JsonObject> picture) {
        return picture.getFirst().bool("inUse").orElseThrow();
    }

    @Test
    void theGraceBudgetKeepsACopyUntilTheOperatorPurges() throws Exception {
        node("""
                staging:
                  cleanup_on_deactivate: true
                  staging_keep_recent_gb: 40
                """);
        assertEquals(List.of(), picture());
        placed();
        assertTrue(inUse(picture()));
        assertTrue(type(PURGE_ALL).contains("Purge staging command broadcast to all nodes\""));
        assertTrue(inUse(picture()), "in use: never a candidate");
        deleteInstances(node);
        assertFalse(inUse(picture()), "kept within the budget");
        assertTrue(type(PURGE_ONE.formatted("mlx-community/Qwen3.5-9B-MLX-4bit"))
                .contains("for model mlx-community/Qwen3.5-9B-MLX-4bit"));
        assertEquals(1, picture().size(), "another model's purge");
        long sent = hub.sent.get();
        type(PURGE_ONE.formatted(MODEL));
        assertEquals(List.of(), picture());
        assertFalse(Files.exists(copy));
        assertSame(temp.resolve("tank").resolve(FOLDER));
        placed();
        assertEquals(sent, hub.sent.get(), "recreated from the store");
        deleteInstances(node);
        assertTrue(
                type("curl -X POST http://localhost:52415/store/purge-staging").contains("\"detail\""), "needs a body");
        type(PURGE_ALL);
        assertEquals(List.of(), picture());
    }

    @Test
    void strictEvictionAtDeactivationAndAtStart() throws Exception {
        node("""
                staging:
                  staging_keep_recent_gb: 0
                """);
        placed();
        deleteInstances(node);
        await().atMost(PATIENCE).until(() -> picture().isEmpty());
        assertFalse(Files.exists(copy), "removed the moment its instance stops");
        placed();
        node.kill(); // never got to clean up
        nodes.remove(node);
        assertTrue(Files.exists(copy));
        await().atMost(PATIENCE)
                .until(() -> host.json("/state")
                                .object("nodeIdentities")
                                .orElseThrow()
                                .members()
                                .size()
                        == 1);
        for (String id :
                host.json("/state").object("instances").orElseThrow().members().keySet()) {
            host.delete("/instance/" + id);
        }
        node = client();
        await().atMost(PATIENCE).until(() -> !Files.exists(copy));
        assertEquals(List.of(), picture(), "the start reconciled the orphan");
    }

    @Test
    void anOverrideKeepsEverythingUntilItIsPurgedByHand() throws Exception {
        node("""
                staging:
                  staging_keep_recent_gb: 0
                node_overrides:
                  cellar:
                    staging:
                      cleanup_on_deactivate: false
                """);
        placed();
        deleteInstances(node);
        assertFalse(inUse(picture()), "manage cleanup entirely by hand");
        node.close();
        nodes.remove(node);
        node = client();
        assertFalse(inUse(picture()), "also over a start");
        type(PURGE_ALL);
        assertEquals(List.of(), picture());
    }

    /** An assistant that the card names, staged as well: never taken from under a rank, evicted like any other afterwards. */
    @Test
    void inUseIncludesCompanions() throws Exception {
        Files.writeString(temp.resolve("hub/model-card.toml"), """
                model_id = "%s"
                n_layers = 7
                hidden_size = 512
                num_key_value_heads = 8
                supports_tensor = true
                tasks = ["TextGeneration"]
                [storage_size]
                in_bytes = %d
                [runtime]
                assistant_model_repo = "acme/Draft"
                """.formatted(MODEL, hub.modelBytes()));
        Path draft = Files.createDirectories(temp.resolve("cellar/staging/acme--Draft"));
        for (Path file : hub.files()) {
            if (!file.toString().endsWith(".toml")) {
                Files.copy(file, draft.resolve(file.getFileName()));
            }
        }
        Files.createFile(draft.resolve(".last_used"));
        node("""
                staging:
                  staging_keep_recent_gb: 0
                  cleanup_on_deactivate: false
                """);
        assertFalse(inUse(picture()), "a candidate like any other");
        placed();
        assertEquals(2, picture().size());
        assertTrue(
                picture().stream().allMatch(copy -> copy.bool("inUse").orElseThrow()),
                picture().toString());
        type(PURGE_ALL);
        type(PURGE_ONE.formatted("acme/Draft"));
        assertEquals(2, picture().size());
        deleteInstances(node);
        type(PURGE_ALL);
        assertEquals(List.of(), picture());
    }

    /** The host loads from {@code store_path} and makes no copy, and nothing of the lifecycle touches the store. */
    @Test
    void theStoresHostLoadsDirectlyFromTheStore() throws Exception {
        node("""
                staging:
                  staging_keep_recent_gb: 0
                """);
        placeOn(host, node);
        awaitReady(host);
        assertAnswers(host);
        Path stored = temp.resolve("tank").resolve(FOLDER);
        assertSame(stored);
        assertEquals(List.of(), staged(host));
        assertEquals(List.of(), picture());
        type(PURGE_ALL);
        deleteInstances(host);
        type(PURGE_ALL);
        assertSame(stored);
        assertEquals(List.of(), staged(host));
    }
}
