package skulk.kernel.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.StorageBackend;
import skulk.api.json.JsonException;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.SkulkException;
import skulk.kernel.rank.Samples;

class CatalogTest {
    private static final ModelId MODEL = new ModelId("org/model");

    @TempDir
    Path home;

    private record Folder(Path root) implements StorageBackend {
        @Override
        public String name() {
            return "folder";
        }

        @Override
        public Optional<ModelManifest> find(ModelId model) throws IOException {
            Path folder = root.resolve(model.directoryName());
            if (!Files.isDirectory(folder)) {
                return Optional.empty();
            }
            List<ModelFile> files = new ArrayList<>();
            try (Stream<Path> all = Files.list(folder)) {
                for (Path file : all.toList()) {
                    files.add(new ModelFile(file.getFileName().toString(), Files.size(file), Optional.empty()));
                }
            }
            return Optional.of(new ModelManifest(model, "", name(), files));
        }

        @Override
        public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
            return FileChannel.open(root.resolve(model.directoryName()).resolve(file.path()));
        }

        @Override
        public List<ModelId> models() {
            return List.of(MODEL);
        }
    }

    private Catalog catalog() {
        return new Catalog(home.resolve("cards"), () -> List.of(new Folder(home)));
    }

    private void checkpoint(String config) throws IOException {
        Path folder = Files.createDirectories(home.resolve(MODEL.directoryName()));
        Files.writeString(folder.resolve("config.json"), config);
        Files.writeString(folder.resolve("model.safetensors"), "x".repeat(1000));
        Files.writeString(
                folder.resolve("chat_template.jinja"),
                "{% if tools %}{{ tools }}{% endif %}{% if enable_thinking %}<think>{% endif %}");
    }

    @Test
    void builtInCardsAreWholeAndHonest() {
        List<ModelCard> cards = new Catalog(home, List::of).all();
        assertTrue(cards.size() > 80, cards.size() + " cards");
        ModelCard llama = cards.stream()
                .filter(c -> c.modelId().value().equals("mlx-community/Llama-3.2-1B-Instruct-4bit"))
                .findFirst()
                .orElseThrow();
        assertEquals(16, llama.nLayers());
        assertEquals(695_000_000, llama.storageSize().inBytes(), 3_000_000);
        for (ModelCard card : cards) {
            assertTrue(
                    card.storageSize().inBytes() > 0 && card.nLayers() > 0 && card.hiddenSize() > 0, card.toString());
            assertEquals(card, CardFile.read(CardFile.write(card)), "survives writing and reading");
        }
    }

    @Test
    void derivesACardFromACheckpoint() throws IOException {
        checkpoint("""
                {"model_type":"qwen3","num_hidden_layers":28,"hidden_size":1024,"num_attention_heads":16,
                 "num_key_value_heads":8,"head_dim":128,"max_position_embeddings":40960,"quantization":{"bits":4,"group_size":64}}""");
        ModelCard card = catalog().find(MODEL).orElseThrow();
        assertEquals(
                Optional.of(16 * 128),
                card.placement().flatMap(ModelCard.Placement::attentionWidth),
                "wider than the hidden state");
        assertEquals(28, card.nLayers());
        assertEquals(1000, card.storageSize().inBytes());
        assertEquals("4bit", card.quantization());
        assertEquals(40960, card.contextLength());
        assertTrue(card.supportsTensor());
        assertEquals(List.of("text", "thinking", "thinking_toggle"), card.capabilities());
        assertTrue(card.tooling().orElseThrow().supportsToolCalling());
        assertTrue(catalog().all().stream().anyMatch(c -> c.modelId().equals(MODEL)));
    }

    @Test
    void addsKeepsAndDropsCustomCards() throws IOException {
        checkpoint("{\"model_type\":\"llama\",\"num_hidden_layers\":2,\"hidden_size\":64,\"num_attention_heads\":4}");
        Catalog first = catalog();
        ModelCard fetched = first.fetch(MODEL);
        assertTrue(fetched.isCustom());
        first.keep(fetched);
        assertEquals(fetched, catalog().added().get(MODEL), "read back from disk");
        assertTrue(first.drop(MODEL));
        assertFalse(first.drop(MODEL));
        assertTrue(catalog().added().isEmpty());
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        SkulkException none = assertThrows(SkulkException.class, () -> catalog().fetch(new ModelId("no/such")));
        assertEquals("Failed to fetch model: no storage backend has no/such", none.getMessage());
        checkpoint("{\"hidden_size\":64}");
        SkulkException broken =
                assertThrows(SkulkException.class, () -> catalog().fetch(MODEL));
        assertTrue(broken.getMessage().contains("num_hidden_layers"), broken.getMessage());
        assertTrue(catalog().find(MODEL).isEmpty());
    }

    /** A source that nobody reaches. */
    private record Unreachable() implements StorageBackend {
        @Override
        public String name() {
            return "store";
        }

        @Override
        public Optional<ModelManifest> find(ModelId model) throws IOException {
            throw new IOException("connection refused");
        }

        @Override
        public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
            throw new IOException("connection refused");
        }
    }

    @Test
    void anUnreachableBackendDoesNotHideTheNextOne() throws IOException {
        Catalog catalog = new Catalog(home.resolve("cards"), () -> List.of(new Unreachable(), new Folder(home)));
        checkpoint("{\"model_type\":\"llama\",\"num_hidden_layers\":2,\"hidden_size\":64,\"num_attention_heads\":4}");
        assertEquals(2, catalog.fetch(MODEL).nLayers());
        SkulkException none = assertThrows(SkulkException.class, () -> catalog.fetch(new ModelId("no/such")));
        assertEquals("Failed to fetch model: store: connection refused", none.getMessage());
    }

    @Test
    void aCardInTheFolderCountsOnlyForItsOwnModel() throws IOException {
        checkpoint("{\"model_type\":\"llama\",\"num_hidden_layers\":2,\"hidden_size\":64,\"num_attention_heads\":4}");
        Path card = home.resolve(MODEL.directoryName()).resolve("model-card.toml");
        Files.writeString(card, CardFile.write(Samples.card("other/model")));
        ModelCard derived = catalog().fetch(MODEL);
        assertEquals(MODEL, derived.modelId());
        assertEquals(2, derived.nLayers());
        ModelCard own = Samples.card(MODEL.value());
        Files.writeString(card, CardFile.write(own));
        assertEquals(own.nLayers(), catalog().fetch(MODEL).nLayers());
    }

    @Test
    void cardFilesAreStrict() {
        String good = CardFile.write(Samples.card("org/m"));
        assertEquals(Samples.card("org/m"), CardFile.read(good));
        assertTrue(assertThrows(JsonException.class, () -> CardFile.read("n_layer = 3\n" + good))
                .getMessage()
                .startsWith("unknown key 'n_layer'; known: [base_model,"));
        assertTrue(
                assertThrows(JsonException.class, () -> CardFile.read("model_id = \"a/b\"\nn_layers = 2\nn_layers = 3"))
                        .getMessage()
                        .startsWith("line 3: 'n_layers' is there twice"));
        assertTrue(assertThrows(JsonException.class, () -> CardFile.read("model_id = \"a\" \"b\""))
                .getMessage()
                .startsWith("line 1: one thing per line"));
        assertTrue(assertThrows(JsonException.class, () -> CardFile.read("tasks = [\"Dance\"]\nmodel_id = 'x'"))
                .getMessage()
                .contains("Dance"));
    }
}
