package skulk.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonString;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Configuration.Setting;
import skulk.kernel.config.ConfigurationFile;
import skulk.kernel.config.Key;
import skulk.kernel.config.Keys;
import skulk.kernel.config.Nearest;
import skulk.kernel.config.Resolver;
import skulk.kernel.node.Home;

/** The flags of {@code serve}, and the configuration and home that they select together with the environment and the file. */
final class ServeOptions {
    private static final String FILE = "skulk.yaml";
    private static final Option HOME =
            Option.of("--home", "DIR", "everything the node writes lies under it (SKULK_HOME)");
    private static final Option CONFIG =
            Option.of("--config", "FILE", "configuration file (default: ./skulk.yaml, else skulk.yaml of the home)");
    private static final Option SET =
            Option.of("--set", "KEY=VALUE", "sets any key of the configuration; may be repeated");
    private static final Option VERBOSE =
            Option.toggle("-v", "logs more; twice for all").or("--verbose");
    private static final Option QUIET =
            Option.toggle("-q", "logs warnings and errors only").or("--quiet");

    /** A flag that sets one key: to its value, or, without a value, to a truth value. */
    private record Flag(Option option, Key<?> key, boolean truth) {}

    private static final List<Flag> FLAGS = List.of(
            valued(
                    Option.of("--api-port", "PORT", "port of the HTTP API (52415; 0 = any free one, printed)"),
                    Keys.API_PORT),
            valued(Option.of("--api-host", "ADDRESS", "address of the HTTP API (127.0.0.1)"), Keys.API_HOST),
            valued(
                    Option.of("--cluster-port", "PORT", "port that nodes talk on (52416; 0 = any free one)")
                            .or("--libp2p-port"),
                    Keys.CLUSTER_PORT),
            valued(Option.of("--bootstrap-peers", "HOST:PORT,…", "nodes to join"), Keys.BOOTSTRAP_PEERS),
            valued(Option.of("--name", "NAME", "friendly name (host name)"), Keys.NAME),
            new Flag(
                    Option.toggle("--force-master", "joins as preferred coordinator")
                            .or("-m"),
                    Keys.FORCE_MASTER,
                    true),
            new Flag(Option.toggle("--offline", "never uses the internet"), Keys.OFFLINE, true),
            new Flag(Option.toggle("--no-api", "serves no HTTP"), Keys.API_ENABLED, false),
            new Flag(Option.toggle("--no-worker", "takes no ranks"), Keys.WORKER, false),
            new Flag(Option.toggle("--no-downloads", "fetches no models"), Keys.DOWNLOADS, false),
            new Flag(Option.toggle("--no-batch", "decodes one request at a time"), Keys.BATCH, false),
            new Flag(
                    Option.toggle("--insecure", "listens beyond this machine without API keys"),
                    Keys.API_INSECURE,
                    true));

    /** Of an accelerator that this program does not drive; kept so that old command lines start. */
    private static final List<Option> WITHOUT_EFFECT =
            List.of(Option.toggle("--fast-synch", "accepted without effect").or("--no-fast-synch"));

    private ServeOptions() {}

    private static Flag valued(Option option, Key<?> key) {
        return new Flag(option, key, true);
    }

    /**
     * What the flags select.
     *
     * @param configuration resolved
     */
    record Selected(Configuration configuration, Home home) {}

    static List<Option> options() {
        List<Option> all = new ArrayList<>(FLAGS.stream().map(Flag::option).toList());
        all.addAll(List.of(HOME, CONFIG, SET, VERBOSE, QUIET));
        all.addAll(WITHOUT_EFFECT);
        return List.copyOf(all);
    }

    static Selected select(CommandLine line, Map<String, String> environment) {
        Optional<Path> named = line.value(HOME.name())
                .or(() -> Optional.ofNullable(environment.get("SKULK_HOME")).filter(text -> !text.isEmpty()))
                .map(Path::of);
        Home home = Home.of(named, environment);
        ConfigurationFile file = ConfigurationFile.read(file(line, home));
        return new Selected(withModels(Resolver.resolve(file, environment, settings(line)), home), home);
    }

    /** Where nothing names the folder of models it is the home's, also for plugins, which do not know the home. */
    private static Configuration withModels(Configuration configuration, Home home) {
        if (!configuration.get(Keys.MODELS_DIR).isEmpty()) {
            return configuration;
        }
        Map<String, Setting> values = new LinkedHashMap<>(configuration.values());
        values.put(
                Keys.MODELS_DIR.name(), new Setting(new JsonString(home.models().toString()), "default"));
        return new Configuration(
                configuration.file(),
                configuration.fileExists(),
                values,
                configuration.plugins(),
                configuration.lines());
    }

    private static Path file(CommandLine line, Home home) {
        Optional<Path> named = line.value(CONFIG.name()).map(Path::of);
        if (named.isPresent()) {
            if (!Files.isReadable(named.get())) {
                throw new UsageException("--config " + named.get() + " cannot be read");
            }
            return named.get();
        }
        Path here = Path.of(FILE);
        return Files.exists(here) ? here : home.config().resolve(FILE);
    }

    private static Map<String, Setting> settings(CommandLine line) {
        Map<String, Setting> settings = new LinkedHashMap<>();
        for (Flag flag : FLAGS) {
            if (line.has(flag.option().name())) {
                settings.put(
                        flag.key().name(),
                        flag.option().value().isPresent()
                                ? new Setting(
                                        new JsonString(
                                                line.value(flag.option().name()).orElseThrow()),
                                        flag.option().name())
                                : new Setting(
                                        new JsonBoolean(flag.truth()),
                                        flag.option().name()));
            }
        }
        if (line.has(QUIET.name())) {
            settings.put(Keys.LOG_LEVEL.name(), new Setting(new JsonString("warning"), QUIET.name()));
        } else if (line.has(VERBOSE.name())) {
            String level = line.count(VERBOSE.name()) > 1 ? "trace" : "debug";
            settings.put(Keys.LOG_LEVEL.name(), new Setting(new JsonString(level), VERBOSE.name()));
        }
        line.options().getOrDefault(SET.name(), List.of()).forEach(text -> set(text, settings));
        return settings;
    }

    private static void set(String text, Map<String, Setting> settings) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? text : text.substring(0, equals);
        List<String> names = Keys.ALL.stream().map(Key::name).toList();
        if (!names.contains(name)) {
            throw new UsageException("--set: unknown key " + name + Nearest.hint(name, names));
        }
        if (equals < 0) {
            throw new UsageException("--set needs KEY=VALUE, not " + text);
        }
        settings.put(name, new Setting(new JsonString(text.substring(equals + 1)), "--set"));
    }
}
