package skulk.kernel.security;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.ConfigurationException;

/** Keys of the configuration, and stored ones in a file that only its owner reads and that is replaced whole. */
public final class FileKeyStore implements KeyStore {
    private static final System.Logger LOG = System.getLogger(FileKeyStore.class.getName());
    private static final String NAME = "api_keys.json";
    /** More keys than any cluster has users; keeps the time of a comparison in bounds. */
    private static final int MOST = 10_000;

    private final List<ApiKey> configured;
    private final Path file;
    private final Object writing = new Object();
    private volatile StoredKeys stored = StoredKeys.EMPTY;
    private volatile KeyRing ring;

    private FileKeyStore(List<ApiKey> configured, Path file) {
        this.configured = configured;
        this.file = file;
        this.ring = new KeyRing(configured);
    }

    /**
     * Reads the stored keys.
     *
     * @param configured the mapping {@code api.keys}
     * @param home directory of the file, which need not exist yet
     * @throws ConfigurationException where a key of the configuration does not fit, or the file is broken: starting without its keys would lock their users out
     */
    public static FileKeyStore open(JsonObject configured, Path home) {
        FileKeyStore store = new FileKeyStore(KeyConfig.read(configured), home.resolve(NAME));
        store.use(store.read());
        return store;
    }

    private StoredKeys read() {
        if (!Files.exists(file)) {
            return StoredKeys.EMPTY;
        }
        try {
            return StoredKeys.fromJson(Json.parse(Files.readString(file)));
        } catch (JsonException e) {
            throw new ConfigurationException(file + ": is not JSON");
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(file + ": " + e.getMessage());
        } catch (IOException e) {
            throw new ConfigurationException(file + ": cannot be read: " + e);
        }
    }

    private void use(StoredKeys keys) {
        stored = keys;
        List<ApiKey> all = new ArrayList<>(configured);
        for (ApiKey key : stored.keys()) {
            if (isConfigured(key.id())) {
                LOG.log(
                        Level.WARNING,
                        "The stored API key {0} does not count: the configuration has one of that id",
                        key.id());
            } else {
                all.add(key);
            }
        }
        ring = new KeyRing(all);
    }

    private boolean isConfigured(String id) {
        return configured.stream().anyMatch(key -> key.id().equals(id));
    }

    @Override
    public KeyRing ring() {
        return ring;
    }

    @Override
    public StoredKeys stored() {
        return stored;
    }

    @Override
    public Created create(String id, Set<Scope> scopes, ApiKey.Limits limits) {
        if (!ApiKey.validId(id)) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "id: a letter, then up to 63 letters, digits, dots, dashes or underscores");
        }
        String secret = KeyHash.newKey();
        synchronized (writing) {
            if (ring.byId(id).isPresent()) {
                throw new SkulkException(Problem.Kind.CONFLICT, "There is an API key " + id + " already");
            }
            if (stored.keys().size() >= MOST) {
                throw new SkulkException(
                        Problem.Kind.OUT_OF_RESOURCES,
                        "There are " + MOST + " API keys already, the most that are kept");
            }
            Instant now = stored.after(id, Instant.now());
            ApiKey key = new ApiKey(id, KeyHash.ofRandom(secret), scopes, limits, now);
            replace(stored.with(key));
            return new Created(key, secret);
        }
    }

    @Override
    public boolean delete(String id) {
        synchronized (writing) {
            if (isConfigured(id)) {
                throw new SkulkException(
                        Problem.Kind.CONFLICT,
                        "The API key " + id + " is set in skulk.yaml, api.keys: remove it there and restart");
            }
            if (ring.byId(id).isEmpty()) {
                return false;
            }
            replace(stored.without(id, Instant.now()));
            return true;
        }
    }

    @Override
    public StoredKeys merge(StoredKeys other) {
        synchronized (writing) {
            StoredKeys both = stored.merged(other);
            if (!both.equals(stored)) {
                replace(both);
            }
            return both;
        }
    }

    /** The file first: what counts is what a restart would find. */
    private void replace(StoredKeys next) {
        try {
            write(next.toJson().toString());
        } catch (IOException e) {
            throw new SkulkException(
                    Problem.of(Problem.Kind.OUT_OF_RESOURCES, "The API keys could not be written: " + e.getMessage()),
                    e);
        }
        use(next);
    }

    private void write(String text) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Path fresh = Files.createTempFile(
                file.toAbsolutePath().getParent(), NAME, ".partial"); // made for its owner only, where that is known
        try {
            if (Files.getFileStore(fresh).supportsFileAttributeView("posix")) {
                Files.setPosixFilePermissions(
                        fresh, Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
            }
            try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true); // a key that was shown once must not be lost with the power
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }
}
