package skulk.storage.directory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.FakeContext;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.SkulkException;

class DirectoryPluginTest {
    @TempDir
    Path root;

    private DirectoryBackend backend(JsonObject settings, Map<String, String> environment) {
        DirectoryPlugin plugin = new DirectoryPlugin(environment);
        return (DirectoryBackend) plugin.start(FakeContext.create(settings)).getFirst();
    }

    private DirectoryBackend backend() {
        return backend(JsonObject.of("paths", List.of(root.toString())), Map.of());
    }

    private Path checkpoint(String folder) throws IOException {
        Path path = Files.createDirectories(root.resolve(folder));
        Files.writeString(path.resolve("config.json"), "{}");
        Files.writeString(path.resolve("model.safetensors"), "0123456789");
        return path;
    }

    @Test
    void startsAndStopsAnyNumberOfTimes() {
        for (int i = 0; i < 3; i++) {
            DirectoryPlugin plugin = new DirectoryPlugin(Map.of());
            assertEquals(
                    "directory", plugin.start(FakeContext.create()).getFirst().name());
            plugin.stop();
        }
    }

    @Test
    void findsModelsInBothLayouts() throws IOException {
        Path flat = checkpoint("org--flat");
        Path nested = checkpoint("org/nested");
        Path plain = checkpoint("plain");
        Files.createDirectories(root.resolve("org--empty"));
        DirectoryBackend backend = backend();
        assertEquals(Optional.of(flat), backend.local(new ModelId("org/flat")));
        assertEquals(Optional.of(nested), backend.local(new ModelId("org/nested")));
        assertEquals(Optional.of(plain), backend.local(new ModelId("plain")));
        assertEquals(Optional.empty(), backend.local(new ModelId("org/empty")));
        assertEquals(
                List.of(new ModelId("org/nested"), new ModelId("org/flat"), new ModelId("plain")), backend.models());
    }

    @Test
    void loadsWhatHuggingFaceToolsDownloaded() throws IOException {
        String commit = "0123456789abcdef0123456789abcdef01234567";
        Path model = root.resolve("hub/models--org--m");
        Path blobs = Files.createDirectories(model.resolve("blobs"));
        Path snapshot = Files.createDirectories(model.resolve("snapshots").resolve(commit));
        Files.writeString(Files.createDirectories(model.resolve("refs")).resolve("main"), commit + "\n");
        Files.writeString(blobs.resolve("b1"), "{}");
        Files.createSymbolicLink(snapshot.resolve("config.json"), blobs.resolve("b1"));
        Files.writeString(
                snapshot.resolve("model.safetensors.index.json"),
                "{\"weight_map\":{\"a\":\"w1.safetensors\",\"b\":\"w2.safetensors\"}}");
        Files.writeString(snapshot.resolve("w1.safetensors"), "1");
        DirectoryBackend backend = backend(JsonObject.EMPTY, Map.of("HF_HOME", root.toString()));
        assertEquals(Optional.empty(), backend.local(new ModelId("org/m")), "a shard is missing");
        assertEquals(List.of(), backend.models());
        Files.writeString(snapshot.resolve("w2.safetensors"), "2");
        assertEquals(Optional.of(snapshot), backend.local(new ModelId("org/m")));
        assertEquals(List.of(new ModelId("org/m")), backend.models());
        assertEquals(4, backend.find(new ModelId("org/m")).orElseThrow().files().size());
        assertEquals(Optional.empty(), backend.local(new ModelId("org/other")));
    }

    @Test
    void needsBothConfigAndWeights() throws IOException {
        Files.writeString(Files.createDirectories(root.resolve("a--b")).resolve("config.json"), "{}");
        assertEquals(Optional.empty(), backend().find(new ModelId("a/b")));
        Files.writeString(root.resolve("a--b/x.safetensors"), "1");
        assertEquals(2, backend().find(new ModelId("a/b")).orElseThrow().files().size());
    }

    @Test
    void readsFromAnOffsetAndSaysWhenAFileChanged() throws IOException {
        Path folder = checkpoint("org--m");
        Files.writeString(folder.resolve(".hidden"), "not listed");
        ModelManifest manifest = backend().find(new ModelId("org/m")).orElseThrow();
        assertEquals(
                List.of("config.json", "model.safetensors"),
                manifest.files().stream().map(ModelFile::path).toList());
        assertEquals(12, manifest.totalBytes());
        ModelFile weights = manifest.files().getLast();
        ByteBuffer rest = ByteBuffer.allocate(20);
        try (var channel = backend().open(manifest.model(), weights, new ByteRange(4, weights.size()))) {
            while (channel.read(rest) >= 0) {}
        }
        assertEquals("456789", new String(rest.array(), 0, rest.position(), StandardCharsets.US_ASCII));
        Files.writeString(folder.resolve("model.safetensors"), "shorter");
        assertTrue(assertThrows(IOException.class, () -> backend().open(manifest.model(), weights, new ByteRange(0, 1)))
                .getMessage()
                .contains("7 bytes now, 10 when"));
        assertTrue(!backend().find(manifest.model()).orElseThrow().revision().equals(manifest.revision()));
    }

    @Test
    void takesFoldersFromSettingsAndEnvironment() throws IOException {
        DirectoryBackend backend = backend(
                JsonObject.of("paths", "/a" + File.pathSeparator + "/b"),
                Map.of("SKULK_MODELS_DIR", "/c", "SKULK_MODELS_PATH", "/d" + File.pathSeparator + "/a"));
        assertEquals(List.of(Path.of("/a"), Path.of("/b"), Path.of("/c"), Path.of("/d")), backend.roots());
        assertEquals(List.of(), backend.models());
        assertThrows(SkulkException.class, () -> backend(JsonObject.of("paths", 7), Map.of()));
    }
}
