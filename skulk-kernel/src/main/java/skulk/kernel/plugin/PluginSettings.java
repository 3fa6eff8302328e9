package skulk.kernel.plugin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import skulk.api.Settings;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Nearest;

/**
 * A plugin's section of the configuration. A key that the section lacks falls back to the node's own key of the same path, so that a plugin may read
 * {@code offline}, {@code hf_token}, {@code cluster.port} or {@code model_store.store_host} without the operator writing them twice. Safe for use by
 * several threads.
 */
final class PluginSettings implements Settings {
    private final String name;
    private final Configuration configuration;
    private final Map<String, Declared> declared = new TreeMap<>();

    /** A key that the plugin asked for, as {@code config explain} shows it. */
    record Declared(String key, String fallback, String meaning) {}

    PluginSettings(String name, Configuration configuration) {
        this.name = name;
        this.configuration = configuration;
    }

    @Override
    public Optional<Json> value(String key, String meaning) {
        return value(key, "", meaning);
    }

    @Override
    public String text(String key, String fallback, String meaning) {
        return value(key, fallback, meaning)
                .map(v -> switch (v) {
                    case JsonString(String s) -> s;
                    case JsonNumber n -> n.literal(); // a name such as 42 is a number in YAML
                    default -> throw wrong(key, "a text", v);
                })
                .orElse(fallback);
    }

    @Override
    public double number(String key, double fallback, String meaning) {
        Json shown = JsonNumber.of(fallback);
        String text = shown instanceof JsonNumber n && n.isLong() ? Long.toString(n.toLong()) : shown.toString();
        return value(key, text, meaning)
                .map(v -> v instanceof JsonNumber n ? n.toDouble() : parsed(key, v))
                .orElse(fallback);
    }

    @Override
    public boolean flag(String key, boolean fallback, String meaning) {
        return value(key, Boolean.toString(fallback), meaning)
                .map(v -> v instanceof JsonBoolean(boolean b) ? b : parsedFlag(key, v))
                .orElse(fallback);
    }

    /** What the plugin has declared so far, by key. */
    synchronized List<Declared> declared() {
        return List.copyOf(declared.values());
    }

    /** The first key of the section that nobody has read, as a reason for not starting; empty where all were. */
    synchronized Optional<String> unread() {
        List<String> leaves = new ArrayList<>();
        leaves(configuration.plugin(name), "", leaves);
        return leaves.stream()
                .filter(leaf ->
                        declared.keySet().stream().noneMatch(key -> leaf.equals(key) || leaf.startsWith(key + ".")))
                .findFirst()
                .map(leaf -> "unknown key plugins.%s.%s%s%s"
                        .formatted(name, leaf, place(leaf), Nearest.hint(leaf, declared.keySet())));
    }

    private Optional<Json> value(String key, String fallback, String meaning) {
        synchronized (this) {
            declared.putIfAbsent(key, new Declared(key, fallback, meaning));
        }
        Json at = configuration.plugin(name);
        for (String part : key.split("\\.")) {
            at = at instanceof JsonObject object ? object.find(part).orElse(Json.NULL) : Json.NULL;
        }
        return at != Json.NULL
                ? Optional.of(at)
                : Optional.ofNullable(configuration.values().get(key)).map(Configuration.Setting::value);
    }

    private static void leaves(JsonObject object, String prefix, List<String> into) {
        object.members().forEach((key, value) -> {
            if (value instanceof JsonObject inner && !inner.members().isEmpty()) {
                leaves(inner, prefix + key + ".", into);
            } else {
                into.add(prefix + key);
            }
        });
    }

    /** A node key's value from the environment or a flag is a text. */
    private double parsed(String key, Json value) {
        if (value instanceof JsonString(String text)) {
            try {
                return Double.parseDouble(text.strip());
            } catch (NumberFormatException e) {
                throw wrong(key, "a number", value);
            }
        }
        throw wrong(key, "a number", value);
    }

    private boolean parsedFlag(String key, Json value) {
        return switch (value.toString().replace("\"", "")) {
            case "true", "1", "yes", "on" -> true;
            case "false", "0", "no", "off", "" -> false;
            default -> throw wrong(key, "true or false", value);
        };
    }

    private SkulkException wrong(String key, String expected, Json value) {
        return new SkulkException(
                Problem.Kind.USER_ERROR,
                "plugins.%s.%s must be %s, not the %s %s%s"
                        .formatted(name, key, expected, value.kind(), value, place(key)));
    }

    private String place(String key) {
        return configuration
                .place("plugins." + name + "." + key)
                .map(p -> " (" + p + ")")
                .orElse("");
    }
}
