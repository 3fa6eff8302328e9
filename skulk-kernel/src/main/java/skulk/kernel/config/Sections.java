package skulk.kernel.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.kernel.config.Configuration.Setting;

/**
 * Sorts a tree of keys into known values and plugins' sections, and finds what is wrong with it.
 *
 * @param values of the node's own keys, by name
 * @param plugins sections by plugin name
 */
record Sections(Map<String, Setting> values, Map<String, JsonObject> plugins) {
    private static final String PLUGINS = "plugins";

    /**
     * @param source names the file in messages
     * @param lines line numbers by dotted path; may lack some
     * @throws ConfigurationException naming the first key that is unknown or of a wrong type
     */
    static Sections sort(String source, JsonObject root, Map<String, Integer> lines) {
        Walk walk = new Walk(source, lines);
        walk.object("", root);
        return new Sections(walk.values, walk.plugins);
    }

    private static final class Walk {
        private final String source;
        private final Map<String, Integer> lines;
        private final Map<String, Key<?>> keys = new LinkedHashMap<>();
        private final Map<String, Setting> values = new HashMap<>();
        private final Map<String, JsonObject> plugins = new HashMap<>();

        Walk(String source, Map<String, Integer> lines) {
            this.source = source;
            this.lines = lines;
            Keys.ALL.forEach(key -> keys.put(key.name(), key));
        }

        void object(String prefix, JsonObject object) {
            object.members().forEach((name, value) -> member(prefix + name, value));
        }

        private void member(String path, Json value) {
            Key<?> key = keys.get(path);
            if (key != null) {
                set(key, value);
            } else if (path.startsWith(PLUGINS + ".")) {
                plugin(path, value);
            } else if (value == Json.NULL && isGroup(path)) {
                return; // an empty section
            } else if (value instanceof JsonObject section && isGroup(path)) {
                object(path + ".", section);
            } else if (isGroup(path)) {
                throw wrong(path, "must be a section, not the " + value.kind() + " " + value);
            } else {
                throw wrong(path, "unknown key" + Nearest.hint(path, siblings(path)));
            }
        }

        private void set(Key<?> key, Json value) {
            if (value == Json.NULL) {
                return;
            }
            if (key.reader().apply(value).isEmpty()) {
                String shown = key.secret() ? "that " + value.kind() : value.toString();
                throw wrong(key.name(), "must be " + key.expected() + ", not " + shown);
            }
            values.put(key.name(), new Setting(value, place(key.name())));
        }

        private void plugin(String path, Json value) {
            String name = path.substring(PLUGINS.length() + 1);
            switch (value) {
                case JsonObject section -> plugins.put(name, section);
                case skulk.api.json.JsonNull empty -> plugins.put(name, JsonObject.EMPTY);
                default ->
                    throw wrong(
                            path,
                            "must be the section of a plugin, not the " + value.kind() + " " + value
                                    + Nearest.hint(path, siblings(path)));
            }
        }

        private boolean isGroup(String path) {
            return path.equals(PLUGINS) || keys.keySet().stream().anyMatch(name -> name.startsWith(path + "."));
        }

        /** What an unknown path could have meant: every key, and every section. */
        private Set<String> siblings(String path) {
            List<String> known = new ArrayList<>(keys.keySet());
            for (String name : keys.keySet()) {
                for (int dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
                    known.add(name.substring(0, dot));
                }
            }
            return known.stream().collect(Collectors.toSet());
        }

        private String place(String path) {
            Integer line = lines.get(path);
            return line == null ? source : source + ":" + line;
        }

        private ConfigurationException wrong(String path, String what) {
            return new ConfigurationException(place(path) + ": " + path + ": " + what);
        }
    }
}
