package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FreePort;
import skulk.api.fake.SmallDisk;
import skulk.api.json.JsonObject;
import skulk.distribution.HubStandIn.Mischief;

/** Downloads that fail for good, on live nodes: their health says why and what to do, nothing half-made is visible, everything else goes on. */
class DownloadFailedIT extends StorageNodes {
    @Override
    Path model(Path folder) throws IOException {
        return ToyModel.ofMegabytes(folder, 28);
    }

    private static void assertReason(SkulkProcess node, String remedy, String... parts) throws Exception {
        JsonObject reason = awaitFailed(node);
        String message = reason.string("message").orElseThrow();
        for (String part : parts) {
            assertTrue(message.contains(part), message + " lacks " + part);
        }
        assertTrue(reason.string("remediation").orElseThrow().contains(remedy), reason.toString());
    }

    private static void assertNothingAt(Path root) throws IOException {
        try (Stream<Path> all = Files.list(root)) {
            assertTrue(all.noneMatch(f -> f.getFileName().toString().contains(FOLDER)), root.toString());
        }
    }

    @Test
    void theHubsReasonsAreTold() throws Exception {
        SkulkProcess node = serve("home");
        Map<Mischief, String> expected = Map.of(
                Mischief.GONE, "safetensors",
                Mischief.GATED, "access token",
                Mischief.OTHER_BYTES, "SHA-256");
        Map<Mischief, String> remedies = Map.of(
                Mischief.GONE, "the hub", Mischief.GATED, "Set hf_token", Mischief.OTHER_BYTES, "Check the mirror");
        for (Map.Entry<Mischief, String> each : expected.entrySet()) {
            hub.mischief = each.getKey();
            ok(node.post("/download/start", "{\"modelId\":\"" + MODEL + "\"}"));
            assertReason(node, remedies.get(each.getKey()), MODEL, "hub", each.getValue());
            ok(node.delete("/download/" + id(node) + "/" + MODEL));
            await().atMost(PATIENCE).until(() -> !node.get("/state").body().contains("download_failed"));
            assertFalse(Files.exists(
                    temp.resolve("home/staging").resolve(FOLDER).resolve("model-00001-of-00002.safetensors")));
            hub.mischief = Mischief.NONE;
            ok(node.post("/download/start", "{\"modelId\":\"" + MODEL + "\"}"));
            await().atMost(PATIENCE)
                    .until(() -> !node.get("/state").body().contains("download_failed")
                            && node.get("/state").body().contains("DownloadCompleted"));
            assertSame(temp.resolve("home/staging").resolve(FOLDER));
            ok(node.post("/store/purge-staging", "{}"));
        }
    }

    @Test
    void theStoresDiskIsFull() throws Exception {
        try (SmallDisk small = SmallDisk.mount(temp.resolve("tank"), 20)) {
            openStore();
            SkulkProcess host = host();
            SkulkProcess client = client();
            String stored = "/store/models/" + MODEL + "/download";
            client.post(stored, "{}");
            assertReason(host, "Free disk space", "node attic", small.root() + "/" + FOLDER, MODEL, "needs 29", "free");
            JsonObject status = ok(client.get(stored + "/status"));
            assertEquals("failed", status.string("status").orElseThrow());
            assertTrue(status.string("error").orElseThrow().contains("needs 29"), status.toString());
            assertNothingAt(small.root());
            assertServes(client);
            placeOn(client, host); // past the store
            awaitCopy(temp.resolve("cellar/staging"));
            small.resize(60);
            client.post(stored, "{}");
            awaitCopy(small.root());
            await().atMost(PATIENCE).until(() -> !host.get("/state").body().contains("download_failed"));
        }
    }

    private void awaitCopy(Path root) throws IOException {
        await().atMost(PATIENCE)
                .until(() -> Files.exists(root.resolve(FOLDER).resolve("model-00001-of-00002.safetensors"))
                        && Files.exists(root.resolve(FOLDER).resolve("model-00002-of-00002.safetensors")));
        assertSame(root.resolve(FOLDER));
    }

    @Test
    void aNodesDiskIsFull() throws Exception {
        try (SmallDisk small = SmallDisk.mount(temp.resolve("cellar/staging"), 20)) {
            openStore();
            SkulkProcess host = host();
            SkulkProcess client = client();
            placeOn(client, host);
            assertReason(
                    client, "Free disk space", "node cellar", small.root() + "/" + FOLDER, MODEL, "needs 29", "free");
            assertNothingAt(small.root());
            awaitCopy(temp.resolve("tank"));
            assertServes(client);
            small.resize(60);
            placeOn(client, host);
            awaitCopy(small.root());
            await().atMost(PATIENCE)
                    .until(() ->
                            client.post("/v1/chat/completions", ping(MODEL)).statusCode() == 200);
        }
    }

    /** The disk of a node's own: its configuration, its log of events. */
    @Test
    void aNodesHomeIsFull() throws Exception {
        try (SmallDisk small = SmallDisk.mount(temp.resolve("cellar"), 64)) {
            clusterPort = FreePort.find();
            SkulkProcess host = host();
            SkulkProcess client = client();
            Path yaml = small.root().resolve("skulk.yaml");
            ok(host.put("/config", "{\"tracing\":{\"retention_days\":5}}"));
            String before = Files.readString(yaml);
            assertServes(client);
            small.fill(0);
            String said = ok(host.put(
                            "/config",
                            "{\"models\":{},\"model_store\":{\"store_path\":\"%s\"}}".formatted("x".repeat(9000))))
                    .string("message")
                    .orElseThrow();
            for (String part :
                    new String[] {"Not saved on cellar", "node cellar", yaml.toString(), "bytes are needed", "free"}) {
                assertTrue(said.contains(part), said);
            }
            assertTrue(Files.readString(yaml).equals(before));
            for (int i = 0; i < 3; i++) {
                ok(client.post("/v1/chat/completions", ping(ServingNode.TINY)));
            }
            await().atMost(PATIENCE)
                    .until(() -> client.get("/metrics").body().contains("skulk_event_log_counting_only 1"));
            ok(client.post("/v1/chat/completions", ping(ServingNode.TINY)));
            assertTrue(client.get("/events").statusCode() == 200);
        }
    }
}
