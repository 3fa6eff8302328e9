package skulk.storage.embedded;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.FakeContext;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

class EmbeddedPluginTest {
    private static final ModelId TINY = new ModelId("skulk/tiny-chat-4bit");

    @TempDir
    Path work;

    @Test
    void startsAndStopsAnyNumberOfTimes() {
        for (int i = 0; i < 3; i++) {
            EmbeddedPlugin plugin = new EmbeddedPlugin();
            assertEquals(
                    "embedded", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void unpacksAllFilesWithTheirDigests() throws Exception {
        EmbeddedBackend backend = new EmbeddedBackend(work);
        assertEquals(List.of(TINY), backend.models());
        ModelManifest manifest = backend.find(TINY).orElseThrow();
        Path folder = backend.local(TINY).orElseThrow();
        for (ModelFile file : manifest.files()) {
            byte[] bytes = Files.readAllBytes(folder.resolve(file.path()));
            assertEquals(file.size(), bytes.length);
            assertEquals(
                    file.sha256().orElseThrow(),
                    HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
        }
        JsonObject config = (JsonObject) Json.parse(Files.readAllBytes(folder.resolve("config.json")));
        String card = Files.readString(folder.resolve("model-card.toml"));
        assertTrue(card.contains(
                "n_layers = " + config.integer("num_hidden_layers").orElseThrow()));
        assertTrue(
                card.contains("hidden_size = " + config.integer("hidden_size").orElseThrow()));
        assertTrue(card.contains(
                "context_length = " + config.integer("max_position_embeddings").orElseThrow()));
        assertEquals(Optional.empty(), backend.find(new ModelId("org/other")));
        assertEquals(Optional.empty(), backend.local(new ModelId("org/other")));
    }

    @Test
    void keepsAnIntactCopyAndReplacesADamagedOne() throws IOException {
        Path folder = new EmbeddedBackend(work).local(TINY).orElseThrow();
        Path weights = folder.resolve("model.safetensors");
        FileTime old = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(weights, old);
        new EmbeddedBackend(work).local(TINY);
        assertEquals(old, Files.getLastModifiedTime(weights), "an intact copy is not written again");
        byte[] bytes = Files.readAllBytes(weights);
        byte[] damaged = bytes.clone();
        damaged[damaged.length / 2] ^= 1;
        Files.write(weights, damaged);
        new EmbeddedBackend(work).local(TINY);
        assertArrayEquals(bytes, Files.readAllBytes(weights));
        try (var left = Files.list(work)) {
            assertEquals(List.of(folder), left.toList(), "nothing but the folder is left behind");
        }
    }

    @Test
    void readsFromAnOffset() throws IOException {
        EmbeddedBackend backend = new EmbeddedBackend(work);
        ModelFile config = backend.find(TINY).orElseThrow().files().stream()
                .filter(f -> f.path().equals("config.json"))
                .findFirst()
                .orElseThrow();
        try (var channel = backend.open(TINY, config, new ByteRange(config.size() - 1, config.size()))) {
            ByteBuffer last = ByteBuffer.wrap(Channels.newInputStream(channel).readAllBytes());
            assertEquals(1, last.remaining());
            assertEquals('}', last.get());
        }
        ModelFile absent = new ModelFile("none", 1, Optional.empty());
        assertThrows(NoSuchFileException.class, () -> backend.open(TINY, absent, new ByteRange(0, 1)));
    }
}
