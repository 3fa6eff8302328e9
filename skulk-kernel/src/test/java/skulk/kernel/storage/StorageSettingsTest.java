package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.NodeId;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;

class StorageSettingsTest {
    private static final StorageSettings.Here HERE =
            new StorageSettings.Here(new NodeId("id-1"), "attic", "box.local", Path.of("/home/staging"));

    private static StorageSettings read(Object... keysAndValues) {
        Map<String, Configuration.Setting> values = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            values.put((String) keysAndValues[i], new Configuration.Setting(Json.of(keysAndValues[i + 1]), "test"));
        }
        return StorageSettings.of(new Configuration(Path.of("skulk.yaml"), true, values, Map.of(), Map.of()), HERE);
    }

    @Test
    void readsTheLimitsOfTransfers() {
        assertEquals(TransferLimits.DEFAULT, read().limits());
        TransferLimits limits = read("downloads.parallel_ranges", 9, "downloads.limit_mb_per_second", 12.5)
                .limits();
        assertEquals(9, limits.parallel());
        assertEquals(12_500_000, limits.bytesPerSecond());
        assertEquals(1, read("downloads.limit_mb_per_second", 1e-9).limits().bytesPerSecond(), "not unlimited");
    }

    @Test
    void withoutAStoreNothingIsEvictedByItself() {
        StorageSettings settings = read();
        assertEquals(Path.of("/home/staging"), settings.staging());
        assertTrue(settings.copies());
        assertFalse(settings.automatic());
        assertEquals(40L << 30, settings.keepBytes());
        assertTrue(read("model_store.staging.staging_keep_recent_gb", 0).automatic(), "unless a budget is asked for");
    }

    @Test
    void aStoreTurnsEvictionOnAndItsHostKeepsModelsThere() {
        StorageSettings client = read("model_store.store_host", "other");
        assertTrue(client.automatic());
        assertEquals(Optional.empty(), client.store());
        for (String name : new String[] {"attic", "box.local", "box", "id-1", "BOX"}) {
            StorageSettings host = read("model_store.store_host", name, "model_store.store_path", "/store");
            assertEquals(Optional.of(Path.of("/store")), host.store());
        }
        assertEquals(
                Optional.empty(),
                read("model_store.enabled", false, "model_store.store_host", "box")
                        .store());
        assertTrue(assertThrows(SkulkException.class, () -> read("model_store.store_host", "box"))
                .getMessage()
                .contains("store_path"));
    }

    @Test
    void aStagingFolderInsideTheStoreIsNeverEvicted() {
        StorageSettings host = read(
                "model_store.store_host", "box",
                "model_store.store_path", "/models",
                "model_store.staging.node_cache_path", "/models/staging");
        assertFalse(host.automatic());
        assertFalse(host.copies());
    }

    @Test
    void overridesOfThisNodeWin() {
        for (String here : new String[] {"attic", "box.local", "Box", "id-1"}) {
            JsonObject overrides = (JsonObject) Json.parse("""
                    {"elsewhere": {"staging": {"enabled": false}},
                     "%s": {"staging": {"cleanup_on_deactivate": false, "node_cache_path": "/fast", "staging_keep_recent_gb": 1.5}}}
                    """.formatted(here));
            StorageSettings settings = read("model_store.store_host", "other", "model_store.node_overrides", overrides);
            assertFalse(settings.automatic(), here);
            assertTrue(settings.copies());
            assertEquals(Path.of("/fast"), settings.staging());
            assertEquals(3L << 29, settings.keepBytes());
        }
    }

    @Test
    void wrongOverridesAreNamed() {
        for (String wrong : new String[] {
            "{\"box\": 1}",
            "{\"box\": {\"x\": 1}}",
            "{\"box\": {\"staging\": {\"keep\": 1}}}",
            "{\"box\": {\"staging\": {\"enabled\": \"no\"}}}",
            "{\"box\": {\"staging\": {\"staging_keep_recent_gb\": -1}}}"
        }) {
            SkulkException e =
                    assertThrows(SkulkException.class, () -> read("model_store.node_overrides", Json.parse(wrong)));
            assertTrue(e.getMessage().startsWith("model_store.node_overrides"), e.getMessage());
        }
    }
}
