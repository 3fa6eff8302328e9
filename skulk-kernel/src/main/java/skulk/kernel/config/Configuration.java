package skulk.kernel.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * The resolved configuration of one run. Immutable.
 *
 * @param file the file it was read from, or would be written to
 * @param fileExists whether the file was there
 * @param values what was set, by key name, with where each value comes from; keys that nothing sets are absent
 * @param plugins the sections of the plugins, by plugin name
 * @param lines line numbers in the file by dotted path
 */
public record Configuration(
        Path file,
        boolean fileExists,
        Map<String, Setting> values,
        Map<String, JsonObject> plugins,
        Map<String, Integer> lines) {

    public Configuration {
        values = Map.copyOf(values);
        plugins = Map.copyOf(plugins);
        lines = Map.copyOf(lines);
    }

    /**
     * A value and where it comes from.
     *
     * @param value as given, already found to fit its key
     * @param source such as {@code skulk.yaml:12}, {@code SKULK_HOME} or {@code --api-port}
     */
    public record Setting(Json value, String source) {}

    /** The value of a key, or its default. */
    public <T> T get(Key<T> key) {
        Setting setting = values.get(key.name());
        return setting == null
                ? key.fallback()
                : key.reader().apply(setting.value()).orElse(key.fallback());
    }

    /** Whether anything sets the key. */
    public boolean isSet(Key<?> key) {
        return values.containsKey(key.name());
    }

    /** Whether a run that reads the file as it is now would go by other values; flags and the environment win over it as they do in this one. */
    public boolean differs(ConfigurationFile now) {
        Sections sections = now.sections();
        return !plugins.equals(sections.plugins())
                || Keys.ALL.stream()
                        .map(Key::name)
                        .filter(name -> !values.containsKey(name) || fromFile(values.get(name)))
                        .anyMatch(name -> !value(values, name).equals(value(sections.values(), name)));
    }

    private boolean fromFile(Setting setting) {
        return setting.source().startsWith(file.getFileName().toString());
    }

    private static Optional<Json> value(Map<String, Setting> values, String name) {
        return Optional.ofNullable(values.get(name)).map(Setting::value);
    }

    /** Where the file sets a path, as {@code skulk.yaml:12}. */
    public Optional<String> place(String path) {
        return Optional.ofNullable(lines.get(path)).map(line -> file.getFileName() + ":" + line);
    }

    /** The section of a plugin, empty where there is none. */
    public JsonObject plugin(String name) {
        return plugins.getOrDefault(name, JsonObject.EMPTY);
    }
}
