package skulk.kernel.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import skulk.api.StorageBackend;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.storage.DiskSpace;
import skulk.kernel.storage.WholeFile;

/**
 * All model cards this node knows. A built-in card wins over a custom one of the same id, a custom one over one derived from files. Safe for use by several
 * threads; methods may read disks and, through storage backends, the network.
 */
public final class Catalog {
    private static final System.Logger LOG = System.getLogger(Catalog.class.getName());
    private static final long MAX_CONFIG = 16 << 20;

    private final Path custom;
    private final Supplier<List<StorageBackend>> backends;
    private volatile Map<ModelId, ModelCard> builtIn;
    private final Map<ModelId, ModelCard> added = new ConcurrentHashMap<>();
    private final Map<String, ModelCard> derived = new ConcurrentHashMap<>();

    /**
     * @param custom directory of the cards that users add
     * @param backends the storage backends in configured order
     */
    public Catalog(Path custom, Supplier<List<StorageBackend>> backends) {
        this.custom = custom;
        this.backends = backends;
        readCustom();
    }

    /** Read at first need: a node that starts has better things to do. */
    private synchronized Map<ModelId, ModelCard> builtIn() {
        if (builtIn == null) {
            builtIn = readBuiltIn();
        }
        return builtIn;
    }

    private static Map<ModelId, ModelCard> readBuiltIn() {
        Map<ModelId, ModelCard> cards = new LinkedHashMap<>();
        for (String name : resource("cards/index.txt").lines().toList()) {
            ModelCard card = CardFile.read(resource("cards/" + name));
            cards.put(card.modelId(), card);
        }
        return Map.copyOf(cards);
    }

    private static String resource(String name) {
        try (InputStream in = Catalog.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void readCustom() {
        if (!Files.isDirectory(custom)) {
            return;
        }
        try (Stream<Path> files = Files.list(custom)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".toml")).sorted().toList()) {
                try {
                    ModelCard card = asCustom(CardFile.read(Files.readString(file)));
                    added.put(card.modelId(), card);
                } catch (JsonException | IllegalArgumentException e) {
                    LOG.log(Level.WARNING, "{0} is left out: {1}", file, e.getMessage());
                }
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot read {0}: {1}", custom, e.getMessage());
        }
    }

    /** The card of a model: built in, added, or derived from whatever backend has its files. */
    public Optional<ModelCard> find(ModelId model) {
        return Optional.ofNullable(builtIn().get(model))
                .or(() -> Optional.ofNullable(added.get(model)))
                .or(() -> derive(model));
    }

    /** Every card there is: built-in, added, and of the models that backends can list. */
    public List<ModelCard> all() {
        Map<ModelId, ModelCard> cards = new LinkedHashMap<>(added);
        cards.putAll(builtIn());
        for (StorageBackend backend : backends.get()) {
            try {
                for (ModelId model : backend.models()) {
                    if (!cards.containsKey(model)) {
                        derive(model).ifPresent(card -> cards.put(model, card));
                    }
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "storage backend " + backend.name() + " cannot list its models", e);
            }
        }
        List<ModelCard> sorted = new ArrayList<>(cards.values());
        sorted.sort(
                (a, b) -> a.modelId().value().compareToIgnoreCase(b.modelId().value()));
        return sorted;
    }

    /** The cards that users added. */
    public Map<ModelId, ModelCard> added() {
        return Map.copyOf(added);
    }

    /**
     * Makes the card of a model found on a backend, anew. A backend that cannot be reached does not hide the ones after it.
     *
     * @throws SkulkException where no backend has it or its files do not allow it; the message says why each was passed over
     */
    public ModelCard fetch(ModelId model) {
        List<String> reasons = new ArrayList<>();
        for (StorageBackend backend : backends.get()) {
            try {
                Optional<ModelManifest> manifest = backend.find(model);
                if (manifest.isPresent()) {
                    return asCustom(read(backend, manifest.get()));
                }
            } catch (IOException | JsonException | SkulkException e) {
                reasons.add(backend.name() + ": " + e.getMessage());
            }
        }
        throw new SkulkException(
                Problem.Kind.USER_ERROR,
                "Failed to fetch model: "
                        + (reasons.isEmpty() ? "no storage backend has " + model : String.join("; ", reasons)));
    }

    /** A card as {@code model-card.toml} has it. */
    public static String toml(ModelCard card) {
        return CardFile.write(card);
    }

    /** Keeps a card that the cluster agreed on. */
    public void keep(ModelCard card) {
        ModelCard kept = asCustom(card);
        if (kept.equals(added.put(card.modelId(), kept))) {
            return;
        }
        Path file = file(card.modelId());
        try {
            write(file, CardFile.write(kept));
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "the card of {0} serves until this node stops, but is not kept on disk: {1}",
                    card.modelId(),
                    e.getMessage());
        }
    }

    private static void write(Path file, String text) throws IOException {
        try {
            WholeFile.write(file, text);
        } catch (IOException e) {
            throw DiskSpace.explained(e, file, text.length());
        }
    }

    /** Drops an added card; false where there is none. */
    public boolean drop(ModelId model) {
        boolean known = added.remove(model) != null;
        try {
            Files.deleteIfExists(file(model));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the card of {0} stays on disk: {1}", model, e.getMessage());
        }
        return known;
    }

    private Path file(ModelId model) {
        return custom.resolve(model.directoryName() + ".toml");
    }

    private Optional<ModelCard> derive(ModelId model) {
        for (StorageBackend backend : backends.get()) {
            try {
                Optional<ModelManifest> manifest = backend.find(model);
                if (manifest.isPresent()) {
                    String key = model + "@" + manifest.get().source() + "@"
                            + manifest.get().revision();
                    ModelCard known = derived.get(key);
                    if (known == null || manifest.get().revision().isEmpty()) {
                        known = read(backend, manifest.get());
                        derived.put(key, known);
                    }
                    return Optional.of(known);
                }
            } catch (IOException | JsonException | SkulkException e) {
                LOG.log(Level.WARNING, "no card for {0} from {1}: {2}", model, backend.name(), e.getMessage());
            }
        }
        return Optional.empty();
    }

    private static ModelCard read(StorageBackend backend, ModelManifest manifest) throws IOException {
        Optional<String> own = text(backend, manifest, "model-card.toml");
        if (own.isPresent()) {
            ModelCard card = CardFile.read(own.get());
            if (card.modelId().equals(manifest.model())) {
                return card;
            }
            // a copy of another model's folder, or an attempt to speak for that model
            LOG.log(Level.WARNING, "model-card.toml of {0} is of {1} and not used", manifest.model(), card.modelId());
        }
        String config = text(backend, manifest, "config.json")
                .orElseThrow(() -> new JsonException("it has no config.json", -1));
        if (!(Json.parse(config) instanceof JsonObject object)) {
            throw new JsonException("config.json is not an object", 0);
        }
        String template = text(backend, manifest, "chat_template.jinja")
                .or(() -> quietly(() -> text(backend, manifest, "tokenizer_config.json")))
                .orElse("");
        return Derivation.card(manifest.model(), object, manifest, template);
    }

    private interface Reading {
        Optional<String> read() throws IOException;
    }

    private static Optional<String> quietly(Reading reading) {
        try {
            return reading.read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<String> text(StorageBackend backend, ModelManifest manifest, String name)
            throws IOException {
        Optional<ModelFile> file =
                manifest.files().stream().filter(f -> f.path().equals(name)).findFirst();
        if (file.isEmpty()) {
            return Optional.empty();
        }
        if (file.get().size() > MAX_CONFIG) {
            throw new IOException("%s has %d bytes; at most %d are read"
                    .formatted(name, file.get().size(), MAX_CONFIG));
        }
        try (ReadableByteChannel channel = backend.open(
                manifest.model(), file.get(), new ByteRange(0, file.get().size()))) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            while (channel.read(buffer) >= 0 && bytes.size() <= MAX_CONFIG) {
                bytes.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
            return Optional.of(bytes.toString(StandardCharsets.UTF_8));
        }
    }

    private static ModelCard asCustom(ModelCard c) {
        return new ModelCard(
                c.modelId(),
                c.storageSize(),
                c.nLayers(),
                c.hiddenSize(),
                c.supportsTensor(),
                c.numKeyValueHeads(),
                c.tasks(),
                c.components(),
                c.family(),
                c.quantization(),
                c.baseModel(),
                c.ggufFile(),
                c.capabilities(),
                c.contextLength(),
                c.usesCfg(),
                c.trustRemoteCode(),
                true,
                c.vision(),
                c.reasoning(),
                c.modalities(),
                c.tooling(),
                c.runtime(),
                c.placement());
    }
}
