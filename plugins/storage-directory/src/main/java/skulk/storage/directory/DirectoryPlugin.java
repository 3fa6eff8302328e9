package skulk.storage.directory;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.Settings;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Reads which folders hold models and offers them as one backend. */
public final class DirectoryPlugin implements Plugin {
    private final Map<String, String> environment;

    public DirectoryPlugin() {
        this(System.getenv());
    }

    DirectoryPlugin(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    @Override
    public List<Extension> start(PluginContext context) {
        Settings settings = context.settings();
        Set<Path> roots = new LinkedHashSet<>();
        settings.value(
                        "paths",
                        "folders that hold models as <org>--<name> or <org>/<name>: a list, or one text with colons")
                .ifPresent(value -> texts(value).forEach(text -> roots.add(path(text))));
        String directory = settings.text(
                "models.directory",
                environment.getOrDefault("SKULK_MODELS_DIR", ""),
                "a folder of models, like one of paths");
        String path = settings.text(
                "models.path",
                environment.getOrDefault("SKULK_MODELS_PATH", ""),
                "further folders of models, separated by colons");
        split(directory).forEach(text -> roots.add(path(text)));
        split(path).forEach(text -> roots.add(path(text)));
        String home = environment.getOrDefault("HF_HOME", "");
        String cache = settings.text(
                "huggingface_cache",
                environment.getOrDefault("HF_HUB_CACHE", home.isBlank() ? "" : home + "/hub"),
                "folder in which Hugging Face tools keep what they downloaded; its models are loaded in place");
        Optional<HubCache> hubCache = cache.isBlank() ? Optional.empty() : Optional.of(new HubCache(path(cache)));
        return List.of(new DirectoryBackend(List.copyOf(roots), hubCache));
    }

    private static List<String> texts(Json value) {
        if (value instanceof JsonString(String text)) {
            return split(text);
        }
        List<String> texts = new ArrayList<>();
        if (value instanceof JsonArray array) {
            for (Json item : array) {
                if (!(item instanceof JsonString(String text))) {
                    throw wrong(item);
                }
                texts.add(text);
            }
            return texts;
        }
        throw wrong(value);
    }

    private static SkulkException wrong(Json value) {
        return new SkulkException(
                Problem.Kind.USER_ERROR,
                "storage-directory.paths must be a text or a list of texts, not " + value.kind());
    }

    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>(List.of(text.split(File.pathSeparator)));
        parts.removeIf(String::isBlank);
        return parts;
    }

    private static Path path(String text) {
        String expanded =
                text.equals("~") || text.startsWith("~/") ? System.getProperty("user.home") + text.substring(1) : text;
        return Path.of(expanded).toAbsolutePath().normalize();
    }
}
