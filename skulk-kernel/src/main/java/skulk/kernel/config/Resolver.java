package skulk.kernel.config;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonString;
import skulk.kernel.config.Configuration.Setting;

/** Lays flags over environment over file over defaults. Pure. */
public final class Resolver {
    /** A variable of the contract that is the opposite of its key. */
    private static final String NO_BATCH = "SKULK_NO_BATCH";

    private Resolver() {}

    /**
     * The configuration of a run.
     *
     * @param flags values from the command line by key name, their source being the flag
     * @throws ConfigurationException naming the key, the value and the place that do not fit
     */
    public static Configuration resolve(
            ConfigurationFile file, Map<String, String> environment, Map<String, Setting> flags) {
        Sections sections = file.sections();
        Map<String, Setting> values = new HashMap<>(sections.values());
        for (Key<?> key : Keys.ALL) {
            fromEnvironment(key, environment).ifPresent(setting -> values.put(key.name(), setting));
        }
        Optional.ofNullable(environment.get(NO_BATCH))
                .filter(text -> !text.isEmpty())
                .ifPresent(text -> values.put(Keys.BATCH.name(), new Setting(new JsonBoolean(!truth(text)), NO_BATCH)));
        flags.forEach((name, setting) -> {
            check(key(name), setting);
            values.put(name, setting);
        });
        return new Configuration(file.path(), file.exists(), values, sections.plugins(), file.lines());
    }

    private static Optional<Setting> fromEnvironment(Key<?> key, Map<String, String> environment) {
        for (String variable : key.environment()) {
            String text = environment.getOrDefault(variable, "");
            if (!text.isEmpty()) { // an empty variable counts as not set
                Setting setting = new Setting(new JsonString(text), variable);
                check(key, setting);
                return Optional.of(setting);
            }
        }
        return Optional.empty();
    }

    private static void check(Key<?> key, Setting setting) {
        if (key.reader().apply(setting.value()).isEmpty()) {
            String shown = key.secret()
                    ? "that"
                    : setting.value() instanceof JsonString(String s)
                            ? s
                            : setting.value().toString();
            throw new ConfigurationException(
                    "%s: must be %s, not %s".formatted(setting.source(), key.expected(), shown));
        }
    }

    private static boolean truth(String text) {
        return Keys.BATCH
                .reader()
                .apply(new JsonString(text))
                .orElseThrow(() -> new ConfigurationException(NO_BATCH + ": must be true or false, not " + text));
    }

    private static Key<?> key(String name) {
        return Keys.ALL.stream()
                .filter(k -> k.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no key " + name));
    }
}
