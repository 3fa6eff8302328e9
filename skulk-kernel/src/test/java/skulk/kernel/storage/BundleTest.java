package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

class BundleTest {
    private static final ModelId MODEL = new ModelId("org/model");
    private static final String CARD_TEXT = "model_id = \"org/model\"\n";

    @TempDir
    private Path temp;

    private Path folder;
    private final byte[] weights = new byte[3_000_001];

    @BeforeEach
    void checkpoint() throws IOException {
        folder = Files.createDirectories(temp.resolve("from"));
        new Random(1).nextBytes(weights);
        Files.write(folder.resolve("model.safetensors"), weights);
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.createDirectories(folder.resolve("1_Pooling"));
        Files.writeString(folder.resolve("1_Pooling/config.json"), "{\"a\":1}");
        Files.writeString(folder.resolve(".last_used"), "");
    }

    private byte[] bundle() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Bundle.write(folder, Bundle.describe(folder, MODEL), CARD_TEXT, out, n -> {});
        return out.toByteArray();
    }

    private Path unpack(byte[] bundle) throws IOException {
        return Bundle.unpack(Bundle.open(new ByteArrayInputStream(bundle)), temp.resolve("to"), n -> {});
    }

    @Test
    void comesBackWithItsCardAndDigests() throws IOException {
        Path found = unpack(bundle());
        assertEquals(temp.resolve("to/org--model"), found);
        assertArrayEquals(weights, Files.readAllBytes(found.resolve("model.safetensors")));
        assertEquals("{\"a\":1}", Files.readString(found.resolve("1_Pooling/config.json")));
        assertEquals(CARD_TEXT, Files.readString(found.resolve("model-card.toml")));
        ModelManifest manifest = new ModelFolder(found).manifest().orElseThrow();
        assertEquals(4, manifest.files().size());
        assertTrue(new ModelFolder(found).complete());
        assertTrue(manifest.files().stream().allMatch(f -> f.sha256().isPresent()));
        Files.writeString(found.resolve("stray"), "old");
        assertFalse(Files.exists(unpack(bundle()).resolve("stray")), "the new folder takes the old one's place whole");
    }

    @Test
    void aChangedByteOrAMissingEndLeavesNothingVisible() throws IOException {
        byte[] bundle = bundle();
        byte[] changed = bundle.clone();
        changed[bundle.length / 2] ^= 1;
        IOException wrong = assertThrows(IOException.class, () -> unpack(changed));
        assertTrue(wrong.getMessage().startsWith("model.safetensors: SHA-256 is "), wrong.getMessage());
        assertThrows(EOFException.class, () -> unpack(Arrays.copyOf(bundle, bundle.length / 2)));
        try (Stream<Path> left = Files.list(temp.resolve("to"))) {
            assertEquals(0, left.count());
        }
        IOException none =
                assertThrows(IOException.class, () -> unpack("x".repeat(2000).getBytes(StandardCharsets.UTF_8)));
        assertTrue(none.getMessage().contains("not a tape archive"), none.getMessage());
    }

    @Test
    void refusesToExportWhatDoesNotHaveItsDigest() throws IOException {
        ModelManifest manifest = Bundle.describe(folder, MODEL);
        weights[5] ^= 1;
        Files.write(folder.resolve("model.safetensors"), weights);
        assertThrows(
                IOException.class,
                () -> Bundle.write(folder, manifest, CARD_TEXT, new ByteArrayOutputStream(), n -> {}));
        Files.writeString(folder.resolve("x.safetensors.partial"), "");
        assertTrue(assertThrows(IOException.class, () -> Bundle.describe(folder, MODEL))
                .getMessage()
                .contains("not complete"));
    }

    @Test
    void archivesHaveTheFormatsForms() throws IOException {
        String long1 = "a".repeat(80) + "/" + "b".repeat(90);
        for (Tar.Entry entry :
                new Tar.Entry[] {new Tar.Entry("x", 0), new Tar.Entry(long1, 513), new Tar.Entry("big", 9_000_000_000L)
                }) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            Tar.header(out, entry);
            assertEquals(512, out.size());
            assertEquals(Optional.of(entry), Tar.next(new ByteArrayInputStream(out.toByteArray())));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Tar.end(out);
        assertEquals(Optional.empty(), Tar.next(new ByteArrayInputStream(out.toByteArray())));
        assertThrows(IOException.class, () -> Tar.header(out, new Tar.Entry("c".repeat(120), 1)));
    }
}
