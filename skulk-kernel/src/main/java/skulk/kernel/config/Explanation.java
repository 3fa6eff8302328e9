package skulk.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** Every key with its value, source and meaning, ready to be printed. */
public record Explanation(List<Line> lines) {

    public Explanation {
        lines = List.copyOf(lines);
    }

    /**
     * One key.
     *
     * @param value in force, as text; hidden for secrets
     * @param source {@code default}, or what sets it
     * @param fallback the default, as text
     */
    public record Line(String key, String value, String source, String fallback, String meaning) {}

    /** A key that a plugin has declared by reading it. */
    public record PluginKey(String plugin, String key, String fallback, String meaning) {}

    /** Explains a configuration, the node's own keys first. */
    public static Explanation of(Configuration configuration, List<PluginKey> pluginKeys) {
        List<Line> lines = new ArrayList<>();
        for (Key<?> key : Keys.ALL) {
            Optional<Configuration.Setting> setting =
                    Optional.ofNullable(configuration.values().get(key.name()));
            String fallback = shown(key.fallback());
            String value = key.secret() && setting.isPresent() ? "(hidden)" : shown(configuration.get(key));
            String environment = key.environment().isEmpty() ? "" : " [" + String.join(", ", key.environment()) + "]";
            lines.add(new Line(
                    key.name(),
                    value,
                    setting.map(Configuration.Setting::source).orElse("default"),
                    fallback,
                    key.meaning() + environment));
        }
        for (PluginKey key : pluginKeys) {
            String name = "plugins." + key.plugin() + "." + key.key();
            Optional<Json> value = find(configuration.plugin(key.plugin()), key.key());
            lines.add(new Line(
                    name,
                    value.map(Explanation::shown).orElse(key.fallback()),
                    value.isPresent()
                            ? configuration
                                    .place(name)
                                    .orElse(configuration.file().getFileName().toString())
                            : "default",
                    key.fallback(),
                    key.meaning()));
        }
        return new Explanation(lines);
    }

    private static Optional<Json> find(JsonObject section, String path) {
        Json at = section;
        for (String part : path.split("\\.")) {
            at = at instanceof JsonObject object ? object.find(part).orElse(Json.NULL) : Json.NULL;
        }
        return at == Json.NULL ? Optional.empty() : Optional.of(at);
    }

    private static String shown(Object value) {
        return switch (value) {
            case skulk.api.json.JsonString(String text) -> text;
            case String text -> text;
            case Double number
            when number == Math.rint(number) && Math.abs(number) < 1e15 -> Long.toString(number.longValue());
            case Double number when number == Double.MAX_VALUE -> "";
            default -> value.toString();
        };
    }

    /** For a terminal: two lines per key. */
    public String text() {
        StringBuilder out = new StringBuilder();
        for (Line line : lines) {
            out.append("%s = %s  (%s)%n    %s%n"
                    .formatted(
                            line.key(), line.value().isEmpty() ? "\"\"" : line.value(), line.source(), line.meaning()));
        }
        return out.toString();
    }

    /** The reference: independent of what is set here. */
    public String markdown() {
        StringBuilder out = new StringBuilder("| Key | Default | Meaning |\n|---|---|---|\n");
        for (Line line : lines) {
            out.append("| `%s` | %s | %s |%n"
                    .formatted(
                            line.key(),
                            line.fallback().isEmpty() ? "" : "`" + line.fallback() + "`",
                            line.meaning().replace("|", "\\|")));
        }
        return out.toString();
    }
}
