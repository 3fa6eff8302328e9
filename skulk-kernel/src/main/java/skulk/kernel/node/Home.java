package skulk.kernel.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The directories of a node. With a home of its own ({@code --home}, {@code SKULK_HOME}) everything lies under it; without one the XDG directories are used
 * (contract section 13.3).
 *
 * @param own whether the home was named, so that nothing may be written elsewhere
 * @param config holds {@code skulk.yaml} where the working directory has none
 * @param data holds models, cards, plugins' directories and the event log
 * @param cache holds logs and traces
 */
public record Home(boolean own, Path config, Path data, Path cache) {

    /** The home for an environment: a named directory, or the XDG ones. */
    public static Home of(Optional<Path> named, Map<String, String> environment) {
        if (named.isPresent()) {
            Path root = named.get().toAbsolutePath().normalize();
            return new Home(true, root, root, root.resolve("cache"));
        }
        Path user = Path.of(System.getProperty("user.home"));
        return new Home(
                false,
                xdg(environment, "XDG_CONFIG_HOME", user.resolve(".config")),
                xdg(environment, "XDG_DATA_HOME", user.resolve(".local/share")),
                xdg(environment, "XDG_CACHE_HOME", user.resolve(".cache")));
    }

    private static Path xdg(Map<String, String> environment, String name, Path fallback) {
        String value = environment.getOrDefault(name, "");
        Path base = value.startsWith("/") ? Path.of(value) : fallback; // the XDG specification ignores relative ones
        return base.resolve("skulk");
    }

    /** Models in place, one {@code org--name} folder each. */
    public Path models() {
        return data.resolve("models");
    }

    /** Cards that users added. */
    public Path customCards() {
        return data.resolve("custom_model_cards");
    }

    /** The control log. */
    public Path eventLog() {
        return data.resolve("event_log");
    }

    /** What is placed, for a restart of all nodes. */
    public Path placements() {
        return data.resolve("placements.json");
    }

    /** Log files. */
    public Path logs() {
        return cache.resolve("logs");
    }

    /** Trace files. */
    public Path traces() {
        return cache.resolve("traces");
    }

    /** Staged copies, unless the configuration names another place. */
    public Path staging() {
        return own ? data.resolve("staging") : Path.of(System.getProperty("user.home"), ".skulk", "staging");
    }

    /** Short-lived files: sockets to rank processes, the lock. */
    public Path run() {
        return data.resolve("run");
    }

    /** The directory that one plugin may write to. */
    public Path plugin(String name) {
        return data.resolve("plugins").resolve(name);
    }

    /** Makes the directories. @throws IOException where one cannot be made or written */
    public void create() throws IOException {
        for (Path directory : new Path[] {data, cache, run()}) {
            try {
                Files.createDirectories(directory);
            } catch (IOException e) {
                throw new IOException("cannot create " + directory + ": " + reason(e), e);
            }
            if (!Files.isWritable(directory)) {
                throw new IOException("cannot write to " + directory);
            }
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException denied -> "permission denied at " + denied.getFile();
            case java.nio.file.FileAlreadyExistsException exists -> exists.getFile() + " is not a directory";
            default -> e.getMessage();
        };
    }
}
