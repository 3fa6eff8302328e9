package skulk.storage.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.Extension;
import skulk.api.HttpFeature;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Download;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeSettings;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelManifest;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class StorePluginTest extends StoreFixture {
    @Test
    void withoutAStoreEveryEndpointSaysSo() throws IOException {
        List<Extension> offers = start(JsonObject.EMPTY);
        HttpFeature none = assertInstanceOf(HttpFeature.class, offers.getFirst());
        for (String path : List.of("/store/health", "/store/registry", "/store/downloads")) {
            FakeExchange answer = new FakeExchange().run(none, "GET", path);
            assertEquals(503, answer.status());
            assertTrue(answer.text().contains("Store not configured"));
        }
        assertEquals(1, offers.size());
    }

    @Test
    void anUnreachableStoreIsSaidToBe() throws IOException {
        startBoth();
        started.getFirst().stop();
        FakeExchange answer = new FakeExchange().run(feature, "GET", "/store/health");
        assertEquals(503, answer.status());
        assertTrue(answer.text().contains("Store unreachable"), answer.text());
        assertThrows(IOException.class, () -> backend.find(MODEL));
    }

    @Test
    void aClientHasTheHostFetchWhatTheStoreLacks() throws IOException {
        startBoth();
        answering(d -> {
            try {
                manifest(weights(10));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            cluster.show(downloading(ongoing()));
            return new CommandId("c1");
        });
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(weights(10)));
        assertTrue(backend.copies().orElseThrow().fetch(manifest));
        assertEquals(List.of(weights(10)), backend.find(MODEL).orElseThrow().files());
        Operation.StartDownload call =
                assertInstanceOf(Operation.StartDownload.class, cluster.calls().getLast());
        assertEquals(SELF, call.node());
        assertEquals(4, call.shard().endLayer());
        FakeExchange downloads = new FakeExchange().run(feature, "GET", "/store/downloads");
        assertEquals(
                "{\"downloads\":[{\"modelId\":\"org/model\",\"status\":\"downloading\",\"progress\":0.25,\"error\":null}]}",
                downloads.text());
        FakeExchange status = new FakeExchange()
                .pathParameter("id", "org/model")
                .run(feature, "GET", "/store/models/{id+}/download/status");
        assertEquals(
                "{\"modelId\":\"org/model\",\"status\":\"downloading\",\"progress\":0.25,\"error\":null}",
                status.text());
    }

    @Test
    void tellsWhyTheHostCouldNotFetch() throws IOException {
        startBoth();
        answering(d -> {
            cluster.show(downloading(new Download.DownloadFailed(SELF, shard(), "", "no source has it")));
            return new CommandId("c1");
        });
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(weights(10)));
        SkulkException e = assertThrows(
                SkulkException.class, () -> backend.copies().orElseThrow().fetch(manifest));
        assertTrue(e.getMessage().contains("no source has it"), e.getMessage());
        cluster.answering(operation -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "unknown model");
        });
        FakeExchange answer = new FakeExchange()
                .pathParameter("id", "org/model")
                .run(feature, "POST", "/store/models/{id+}/download");
        assertEquals(404, answer.status());
        assertTrue(answer.text().contains("unknown model"), answer.text());
    }

    @Test
    void theSameFailureAgainIsToldAtOnce() throws IOException {
        startBoth();
        Download failure = new Download.DownloadFailed(SELF, shard(), "", "no room");
        cluster.show(downloading(failure));
        cluster.answering(operation -> switch (operation) {
            case Operation.ListModels l -> List.of(new Operation.CatalogEntry(card(), false));
            case Operation.CancelDownload c -> {
                cluster.show(ClusterView.empty(SELF));
                yield new CommandId("c1");
            }
            case Operation.StartDownload d -> {
                cluster.show(downloading(failure));
                yield new CommandId("c2");
            }
            default -> throw new AssertionError("not expected: " + operation);
        });
        ModelManifest manifest = new ModelManifest(MODEL, "r1", "hub", List.of(weights(10)));
        long begin = System.nanoTime();
        SkulkException e = assertThrows(
                SkulkException.class, () -> backend.copies().orElseThrow().fetch(manifest));
        assertTrue(e.getMessage().contains("no room"), e.getMessage());
        assertTrue(System.nanoTime() - begin < 30e9, "did not wait for another failure");
    }

    @Test
    void downloadingWhatIsThereIsCompleteAtOnce() throws IOException {
        complete(10);
        startBoth();
        for (HttpFeature either : List.of(hostFeature, feature)) {
            FakeExchange answer = new FakeExchange()
                    .pathParameter("id", "org/model")
                    .body("{}")
                    .run(either, "POST", "/store/models/{id+}/download");
            assertEquals("{\"modelId\":\"org/model\",\"status\":\"complete\",\"progress\":1.0}", answer.text());
        }
        assertTrue(cluster.calls().isEmpty());
        FakeExchange gguf = new FakeExchange()
                .pathParameter("id", "org/model")
                .body("{\"gguf_file\":\"x.gguf\"}")
                .run(feature, "POST", "/store/models/{id+}/download");
        assertEquals(400, gguf.status());
        FakeExchange unknown = new FakeExchange()
                .pathParameter("id", "org/none")
                .run(feature, "GET", "/store/models/{id+}/download/status");
        assertEquals("{\"status\":\"not_found\"}", unknown.text());
    }

    @Test
    void keepsARegistryAndDeletesFromIt() throws IOException {
        complete(10);
        startBoth();
        JsonObject registry =
                new FakeExchange().run(feature, "GET", "/store/registry").jsonResponse();
        JsonObject entry =
                (JsonObject) registry.array("entries").orElseThrow().items().getFirst();
        assertEquals(Optional.of("org/model"), entry.string("model_id"));
        assertEquals(Optional.of(10L), entry.integer("total_bytes"));
        assertEquals(
                "[\"model.safetensors\"]", entry.array("files").orElseThrow().toString());
        assertEquals(
                registry.array("entries").orElseThrow(), Json.parse(Files.readString(root.resolve("registry.json"))));
        cluster.show(downloading(ongoing()));
        assertEquals(409, delete("org/model").status());
        cluster.show(ClusterView.empty(SELF));
        assertEquals(
                "{\"modelId\":\"org/model\",\"deleted\":true}",
                delete("org/model").text());
        assertFalse(Files.exists(root.resolve("org--model")));
        assertEquals("[]\n", Files.readString(root.resolve("registry.json")));
        FakeExchange again = delete("org/model");
        assertEquals(404, again.status());
        assertTrue(again.text().contains("Model org/model not in store"));
        try (var left = Files.list(root)) {
            assertEquals(List.of(root.resolve("registry.json")), left.toList());
        }
    }

    private FakeExchange delete(String model) {
        return new FakeExchange().pathParameter("id", model).run(feature, "DELETE", "/store/models/{id+}");
    }

    @Test
    void reportsItsHealth() throws IOException {
        complete(1000);
        startBoth();
        JsonObject health =
                new FakeExchange().run(feature, "GET", "/store/health").jsonResponse();
        assertEquals(Optional.of(root.toString()), health.string("storePath"));
        assertTrue(health.integer("usedBytes").orElseThrow() >= 1000);
        assertTrue(health.integer("freeBytes").orElseThrow()
                <= health.integer("totalBytes").orElseThrow());
    }

    @Test
    void settingsAreChecked() {
        assertThrows(SkulkException.class, () -> start(JsonObject.of("store_host", "self")));
        assertThrows(
                SkulkException.class,
                () -> start(JsonObject.builder()
                        .put("store_host", "x")
                        .put("store_port", 1.5)
                        .build()));
        assertEquals(
                Optional.empty(),
                StoreSettings.of(
                        new FakeSettings(
                                (JsonObject) Json.parse("{\"model_store\":{\"enabled\":false,\"store_host\":\"x\"}}")),
                        "id"));
    }
}
