package skulk.kernel.storage;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import skulk.api.cluster.NodeId;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/**
 * What the configuration says about models on this node's disk, node overrides laid over it.
 *
 * @param node this node
 * @param nodeName how errors name it
 * @param staging folder of staged copies, one {@code org--name} directory per model
 * @param copies whether copies are staged there; false = models are kept in {@code staging} for good and the report shows no staging root
 * @param store on the store host, the store's directory: downloads go there and are loaded from there
 * @param storeOnly whether sources after the one named {@value #STORE_BACKEND} may not be asked
 * @param automatic whether eviction runs by itself, at deactivation and at node start
 * @param keepBytes grace budget of automatic eviction
 * @param downloads whether this node may fetch models at all
 * @param limits of transfers
 */
public record StorageSettings(
        NodeId node,
        String nodeName,
        Path staging,
        boolean copies,
        Optional<Path> store,
        boolean storeOnly,
        boolean automatic,
        long keepBytes,
        boolean downloads,
        TransferLimits limits) {
    /** The name of the storage backend that speaks to the LAN store. */
    public static final String STORE_BACKEND = "store";

    private static final Set<String> STAGING_KEYS =
            Set.of("enabled", "node_cache_path", "cleanup_on_deactivate", "staging_keep_recent_gb");

    /**
     * This machine and process, as configurations may name it.
     *
     * @param friendlyName of the node
     * @param hostname of the machine
     * @param defaultStaging where copies go when nothing is configured
     */
    public record Here(NodeId node, String friendlyName, String hostname, Path defaultStaging) {
        boolean is(String name) {
            return Stream.of(node.value(), friendlyName, hostname, shortName(hostname))
                    .anyMatch(own -> own.equalsIgnoreCase(name));
        }

        private static String shortName(String host) {
            int dot = host.indexOf('.');
            return dot < 0 ? host : host.substring(0, dot);
        }
    }

    /** Staging values after the overrides. */
    private record Overlay(boolean enabled, String path, boolean cleanup, double keepGib, boolean given) {}

    /**
     * Reads the configuration.
     *
     * @throws SkulkException USER_ERROR naming the key of {@code model_store.node_overrides} that is wrong
     */
    public static StorageSettings of(Configuration config, Here here) {
        Overlay overlay = overlay(config, here);
        boolean storeUsed =
                config.get(Keys.STORE) && !config.get(Keys.STORE_HOST).isEmpty();
        boolean host = storeUsed && here.is(config.get(Keys.STORE_HOST));
        if (host && config.get(Keys.STORE_PATH).isEmpty()) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "model_store.store_path is missing: this node is the store host '%s'"
                            .formatted(config.get(Keys.STORE_HOST)));
        }
        Optional<Path> store = host ? Optional.of(path(config.get(Keys.STORE_PATH))) : Optional.empty();
        Path staging = overlay.path().isEmpty() ? here.defaultStaging() : path(overlay.path());
        boolean separate = store.filter(s -> overlaps(s, staging)).isEmpty();
        return new StorageSettings(
                here.node(),
                here.friendlyName(),
                staging.toAbsolutePath().normalize(),
                overlay.enabled() && separate,
                store,
                storeUsed && !host && !config.get(Keys.HF_FALLBACK),
                overlay.enabled() && overlay.cleanup() && separate && (storeUsed || overlay.given()),
                (long) Math.min(Long.MAX_VALUE, overlay.keepGib() * (1L << 30)),
                config.get(Keys.DOWNLOADS),
                limits(config));
    }

    private static TransferLimits limits(Configuration config) {
        return new TransferLimits(
                Math.toIntExact(config.get(Keys.PARALLEL_RANGES)),
                TransferLimits.DEFAULT.attempts(),
                TransferLimits.DEFAULT.firstPause(),
                bytesPerSecond(config.get(Keys.BANDWIDTH)));
    }

    /** 0 stays no limit; a limit is never rounded to none. */
    private static long bytesPerSecond(double megabytes) {
        return megabytes == 0 ? 0 : Math.max(1, (long) (megabytes * 1e6));
    }

    private static Overlay overlay(Configuration config, Here here) {
        JsonObject override = config.get(Keys.STORE_OVERRIDES).members().entrySet().stream()
                .filter(entry -> here.is(entry.getKey()))
                .findFirst()
                .map(entry -> stagingOf(entry.getKey(), entry.getValue()))
                .orElse(JsonObject.EMPTY);
        try {
            double keep = override.number("staging_keep_recent_gb").orElse(config.get(Keys.STAGING_KEEP));
            if (keep < 0) {
                throw new JsonException("'staging_keep_recent_gb' must not be negative: " + keep, -1);
            }
            return new Overlay(
                    override.bool("enabled").orElse(config.get(Keys.STAGING)),
                    override.string("node_cache_path").orElse(config.get(Keys.STAGING_PATH)),
                    override.bool("cleanup_on_deactivate").orElse(config.get(Keys.STAGING_CLEANUP)),
                    keep,
                    !override.members().isEmpty()
                            || config.isSet(Keys.STAGING_CLEANUP)
                            || config.isSet(Keys.STAGING_KEEP));
        } catch (JsonException e) {
            throw new SkulkException(Problem.Kind.USER_ERROR, "model_store.node_overrides: staging." + e.getMessage());
        }
    }

    private static JsonObject stagingOf(String name, Json value) {
        String place = "model_store.node_overrides." + name;
        if (!(value instanceof JsonObject object)
                || !List.of("staging").containsAll(object.members().keySet())) {
            throw new SkulkException(Problem.Kind.USER_ERROR, place + " must be a mapping with the one key 'staging'");
        }
        if (!(object.find("staging").orElse(JsonObject.EMPTY) instanceof JsonObject staging)) {
            throw new SkulkException(Problem.Kind.USER_ERROR, place + ".staging must be a mapping");
        }
        for (String key : staging.members().keySet()) {
            if (!STAGING_KEYS.contains(key)) {
                throw new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "%s.staging.%s is unknown; known: %s"
                                .formatted(
                                        place,
                                        key,
                                        STAGING_KEYS.stream().sorted().toList()));
            }
        }
        return staging;
    }

    /** A path of the configuration; {@code ~/} is the user's home. */
    static Path path(String text) {
        String expanded =
                text.equals("~") || text.startsWith("~/") ? System.getProperty("user.home") + text.substring(1) : text;
        return Path.of(expanded).toAbsolutePath().normalize();
    }

    private static boolean overlaps(Path store, Path staging) {
        Path other = staging.toAbsolutePath().normalize();
        return store.startsWith(other) || other.startsWith(store);
    }

    /** Where downloads go on this node. */
    Path downloadRoot() {
        return store.orElse(staging);
    }

    /** The same settings with other limits of transfers. */
    public StorageSettings with(TransferLimits other) {
        return new StorageSettings(
                node, nodeName, staging, copies, store, storeOnly, automatic, keepBytes, downloads, other);
    }
}
