package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FreePort;
import skulk.api.json.JsonObject;

/** Models on disk, end to end: a hub that counts what it sends, nodes as processes, the operator's commands of the runbook. */
class StorageIT extends StorageNodes {

    @Test
    void aKilledNodeGoesOnWithItsDownloadAndPurgesWhatIsNotInUse() throws Exception {
        SkulkProcess first = serve("home");
        assertEquals(503, first.get("/store/health").statusCode());
        assertTrue(first.get("/store/registry").body().contains("Store not configured"));
        hub.pauseMillis = 12;
        ok(first.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        awaitSent(1, 2);
        first.kill();
        long whenKilled = hub.sent.get();
        release();

        SkulkProcess second = serve("home");
        ok(second.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        awaitReady(second);
        assertAnswers(second);
        assertTrue(
                hub.sent.get() <= hub.modelBytes() * 101 / 100 + LOSS,
                "%d bytes of a model of %d, %d of them before the kill"
                        .formatted(hub.sent.get(), hub.modelBytes(), whenKilled));
        Path staging = temp.resolve("home/staging");
        assertSame(staging.resolve(FOLDER));

        List<JsonObject> before = staged(second);
        assertEquals(
                List.of(MODEL),
                before.stream().map(m -> m.string("modelId").orElseThrow()).toList());
        assertEquals(true, before.getFirst().bool("inUse").orElseThrow());
        assertEquals(422, second.post("/store/purge-staging", "").statusCode());
        ok(second.post("/store/purge-staging", "{}"));
        assertEquals(1, staged(second).size(), "in use");
        deleteInstances(second);
        ok(second.post("/store/purge-staging", "{\"modelId\": \"other/model\"}"));
        assertEquals(1, staged(second).size(), "another one's");
        ok(second.post("/store/purge-staging", "{\"modelId\": \"" + MODEL + "\"}"));
        assertEquals(List.of(), staged(second));
        assertFalse(Files.exists(staging.resolve(FOLDER)));
        assertAnswersAfterBundle(second);
    }

    /** A bundle made of one machine's copy serves on another one that asks nobody. */
    private void assertAnswersAfterBundle(SkulkProcess node) throws Exception {
        assertTrue(skulk("models", "pull", MODEL, "--url", node.url()).contains(MODEL + " is complete on "));
        assertTrue(skulk("models", "list", "--url", node.url()).contains("(staged)"));
        assertTrue(skulk("models", "show", MODEL, "--url", node.url()).contains("quantization"));
        skulk(
                "bundle",
                "export",
                MODEL,
                "--home",
                temp.resolve("home").toString(),
                "--to",
                temp.resolve("toy.skulk").toString());
        assertTrue(skulk("models", "rm", MODEL, "--url", node.url()).contains("removed the staged copies"));
        assertEquals(List.of(), staged(node));
        node.close();
        long sent = hub.sent.get();
        Path other = temp.resolve("other");
        skulk("bundle", "import", temp.resolve("toy.skulk").toString(), "--home", other.toString());
        assertSame(other.resolve("models").resolve(FOLDER));
        SkulkProcess offline = serve("other", "--offline");
        ok(offline.post("/place_instance", "{\"model_id\":\"" + MODEL + "\"}"));
        awaitReady(offline);
        assertAnswers(offline);
        assertEquals(sent, hub.sent.get());
    }

    @Test
    void aModelCrossesTheInternetOnceWithAStore() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess client = client();
        assertTrue(ok(client.get("/store/health"))
                .string("storePath")
                .orElseThrow()
                .endsWith("tank"));
        assertEquals("{\"entries\":[]}", client.get("/store/registry").body());

        placeOn(client, host);
        awaitReady(client);
        assertAnswers(client);
        long once = hub.sent.get();
        assertTrue(once <= hub.modelBytes() * 101 / 100, once + " bytes of a model of " + hub.modelBytes());
        assertSame(temp.resolve("tank").resolve(FOLDER));
        assertSame(temp.resolve("cellar/staging").resolve(FOLDER));
        assertTrue(client.get("/store/registry").body().contains("\"model_id\":\"" + MODEL + "\""));
        assertTrue(ok(client.get("/store/models/" + MODEL + "/download/status"))
                .toString()
                .contains("complete"));
        assertEquals("{\"downloads\":[]}", client.get("/store/downloads").body());
        assertEquals(
                2,
                ok(client.get("/store/storage/cluster"))
                        .array("nodes")
                        .orElseThrow()
                        .size());

        deleteInstances(client);
        ok(host.post("/store/purge-staging", "{}"));
        assertEquals(List.of(), staged(client));
        assertSame(temp.resolve("tank").resolve(FOLDER));
        ok(client.post("/download/start", "{\"modelId\":\"" + MODEL + "\"}"));
        await().atMost(PATIENCE)
                .until(() ->
                        !staged(client).isEmpty() && client.get("/state").body().contains("DownloadCompleted"));
        assertEquals(once, hub.sent.get(), "staged again from the store");

        assertEquals(
                "{\"modelId\":\"%s\",\"deleted\":true}".formatted(MODEL),
                client.delete("/store/models/" + MODEL).body());
        assertEquals(404, client.delete("/store/models/" + MODEL).statusCode());
        assertEquals("{\"entries\":[]}", client.get("/store/registry").body());
        assertFalse(Files.exists(temp.resolve("tank").resolve(FOLDER)));
    }

    @Test
    void aCopyOfAnotherNodeSparesTheHub() throws Exception {
        clusterPort = FreePort.find();
        store = new String[] {"--set", "cluster.secret=correct horse battery staple"}; // and no store
        SkulkProcess host = host();
        SkulkProcess client = client();
        placeOn(host, client);
        awaitReady(host);
        assertAnswers(host);
        assertSame(temp.resolve("attic/staging").resolve(FOLDER));
        long asked = hub.asked.get();
        deleteInstances(host);
        placeOn(client, host);
        awaitReady(client);
        assertAnswers(client);
        assertSame(temp.resolve("cellar/staging").resolve(FOLDER));
        assertEquals(asked, hub.asked.get(), "the hub was asked again");
        assertTrue(
                Files.readString(temp.resolve("cellar/staging").resolve(FOLDER).resolve(".skulk.json"))
                        .matches("(?s).*\"source\"\\s*:\\s*\"peers\".*"));
    }

    /** The host goes on with what it was fetching as soon as somebody asks for it again, and the client goes on asking. */
    @Test
    void aKilledStoreHostAndItsClientGoOn() throws Exception {
        openStore();
        SkulkProcess host = host();
        SkulkProcess client = client();
        hub.pauseMillis = 12;
        placeOn(client, host);
        awaitSent(1, 2);
        host.kill();
        release();
        hostAgain(2);
        awaitReady(client);
        assertAnswers(client);
        assertTrue(
                hub.sent.get() <= hub.modelBytes() * 101 / 100 + LOSS,
                hub.sent.get() + " bytes of a model of " + hub.modelBytes());
        assertSame(temp.resolve("tank").resolve(FOLDER));
        assertSame(temp.resolve("cellar/staging").resolve(FOLDER));
    }
}
