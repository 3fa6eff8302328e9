package skulk.kernel.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.kernel.storage.DiskSpace;

/**
 * The file {@code skulk.yaml} as it is on disk. Immutable; writing makes a new one.
 *
 * @param path where it is, or would be
 * @param exists whether it is there
 * @param root its keys
 * @param lines line numbers by dotted path
 */
public record ConfigurationFile(Path path, boolean exists, JsonObject root, Map<String, Integer> lines) {

    /** The part of the configuration that the contract keeps when a client does not send it, beside secrets (section 8.3). */
    private static final String LOGGING = "logging";

    /** What describes one machine: not told to other nodes. */
    private static final List<String> OWN = List.of("node", "api", "cluster", "models", "plugins", "offline");

    public ConfigurationFile {
        lines = Map.copyOf(lines);
    }

    /**
     * Reads a file; one that is not there is empty.
     *
     * @throws ConfigurationException where it cannot be read or is not such YAML
     */
    public static ConfigurationFile read(Path path) {
        if (!Files.exists(path)) {
            return new ConfigurationFile(path, false, JsonObject.EMPTY, Map.of());
        }
        try {
            return parse(path, Files.readString(path));
        } catch (IOException e) {
            throw new ConfigurationException(path + ": cannot be read: " + e);
        }
    }

    /** Parses the text of a file. @throws ConfigurationException with the line */
    public static ConfigurationFile parse(Path path, String text) {
        YamlTree tree = YamlTree.parse(path.getFileName().toString(), text);
        return new ConfigurationFile(path, true, tree.root(), tree.lines());
    }

    /** Checks every key and value. @throws ConfigurationException naming the first one that does not fit */
    public static void validate(JsonObject root) {
        Sections.sort("config", root, Map.of());
    }

    Sections sections() {
        return Sections.sort(path.getFileName().toString(), root, lines);
    }

    /** The keys without secrets. */
    public JsonObject shown() {
        return withoutSecrets(root);
    }

    /** A configuration without what is never shown, returned or told to other nodes. */
    public static JsonObject withoutSecrets(JsonObject root) {
        JsonObject shown = root;
        for (String secret : secrets(root)) {
            shown = without(shown, secret);
        }
        return shown;
    }

    /** The kernel's secret keys, and what plugins call {@code secret}. */
    private static List<String> secrets(JsonObject root) {
        Stream<String> own = Keys.ALL.stream().filter(Key::secret).map(Key::name);
        Stream<String> plugins = root.object("plugins").stream()
                .flatMap(sections -> sections.members().keySet().stream())
                .map(plugin -> "plugins." + plugin + ".secret");
        return Stream.concat(own, plugins).toList();
    }

    /** What of a configuration goes for all nodes: no secrets, and nothing that describes one machine. */
    public static JsonObject shared(JsonObject root) {
        JsonObject shared = withoutSecrets(root);
        for (String section : OWN) {
            shared = without(shared, section);
        }
        return shared;
    }

    /** Replaces what goes for all nodes, as another node tells it; what describes this machine stays. See {@link #write}. */
    public ConfigurationFile adopt(JsonObject shared) throws IOException {
        JsonObject merged = shared(shared);
        for (String section : OWN) {
            merged = keep(merged, section);
        }
        return write(merged);
    }

    /**
     * Replaces the file atomically. Secrets and the section {@code logging} that the new configuration does not name stay as they are.
     *
     * @throws ConfigurationException where the configuration does not fit
     * @throws IOException where the file cannot be written
     */
    public ConfigurationFile write(JsonObject config) throws IOException {
        JsonObject merged = config;
        for (String secret : secrets(root)) {
            merged = keep(merged, secret);
        }
        if (!merged.has(LOGGING)) {
            merged = keep(merged, LOGGING);
        }
        validate(merged);
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        String text = new Yaml(options).dump(merged.toJava());
        Path target = path.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path fresh = Files.createTempFile(
                target.getParent(), "skulk", ".yaml.partial"); // readable by its owner only: it holds secrets
        try {
            if (exists && Files.getFileStore(target).supportsFileAttributeView("posix")) {
                Files.setPosixFilePermissions(fresh, Files.getPosixFilePermissions(target));
            }
            Files.writeString(fresh, text);
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw DiskSpace.explained(e, target, text.length());
        } finally {
            Files.deleteIfExists(fresh);
        }
        return parse(path, text);
    }

    private JsonObject keep(JsonObject config, String key) {
        List<String> parts = List.of(key.split("\\."));
        return find(config, parts).isPresent()
                ? config
                : find(root, parts).map(v -> put(config, parts, v)).orElse(config);
    }

    private static Optional<Json> find(JsonObject object, List<String> path) {
        Optional<Json> here = object.find(path.getFirst());
        if (path.size() == 1) {
            return here;
        }
        return here.flatMap(
                v -> v instanceof JsonObject inner ? find(inner, path.subList(1, path.size())) : Optional.empty());
    }

    private static JsonObject put(JsonObject object, List<String> path, Json value) {
        if (path.size() == 1) {
            return object.with(path.getFirst(), value);
        }
        JsonObject inner = object.find(path.getFirst())
                .map(v -> v instanceof JsonObject o ? o : JsonObject.EMPTY)
                .orElse(JsonObject.EMPTY);
        return object.with(path.getFirst(), put(inner, path.subList(1, path.size()), value));
    }

    private static JsonObject without(JsonObject object, String path) {
        int dot = path.indexOf('.');
        SequencedMap<String, Json> members = new LinkedHashMap<>(object.members());
        if (dot < 0) {
            members.remove(path);
        } else if (members.get(path.substring(0, dot)) instanceof JsonObject inner) {
            members.put(path.substring(0, dot), without(inner, path.substring(dot + 1)));
        }
        return new JsonObject(members);
    }
}
