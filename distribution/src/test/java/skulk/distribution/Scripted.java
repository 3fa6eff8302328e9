package skulk.distribution;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/**
 * A model whose answers tests write themselves: the last user message is the script. Its runner is a plugin of its own, see {@code src/test/scripted}, so
 * that everything but the engine is the real thing.
 */
final class Scripted {
    static final String MODEL = "test/scripted";

    private Scripted() {}

    /** Puts the runner, a checkpoint without weights and its card into the home of a node that is not started yet. */
    static void install(Path home) throws IOException {
        Path sources = Path.of(System.getProperty("skulk.test.scripted", "src/test/scripted"));
        try (Stream<Path> files = Files.list(sources)) {
            List<Path> all =
                    files.filter(file -> file.toString().endsWith(".java")).toList();
            PluginSources.compiled(home.resolve("plugins.d/scripted/scripted.jar"), all);
        }
        Path model = Files.createDirectories(home.resolve("checkpoints/test--scripted"));
        Files.writeString(
                model.resolve("config.json"),
                "{\"model_type\":\"scripted\",\"num_hidden_layers\":1,\"hidden_size\":8,\"max_position_embeddings\":4096}");
        Files.write(model.resolve("model.safetensors"), new byte[] {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
        Files.writeString(
                Files.createDirectories(home.resolve("custom_model_cards")).resolve("test--scripted.toml"), """
                model_id = "test/scripted"
                n_layers = 1
                hidden_size = 8
                supports_tensor = false
                tasks = ["TextGeneration"]
                capabilities = ["text", "thinking"]
                context_length = 4096

                [storage_size]
                in_bytes = 10

                [tooling]
                supports_tool_calling = true

                [placement]
                compatible_backends = ["scripted"]
                """);
        Files.writeString(
                home.resolve("skulk.yaml"),
                "plugins:\n  storage-directory:\n    paths: [" + home.resolve("checkpoints") + "]\n");
    }

    /** A script out of its steps. */
    static String script(JsonObject... steps) {
        return new JsonArray(List.of(steps)).toString();
    }

    static JsonObject text(String text) {
        return JsonObject.of("text", text);
    }

    /** The same text again and again, a thousand times a second. */
    static JsonObject text(String text, int times) {
        return JsonObject.of("text", text).with("times", times);
    }

    static JsonObject reasoning(String text) {
        return JsonObject.of("reasoning", text);
    }

    /** A tool call; its arguments come in two pieces. */
    static JsonObject call(String name, String arguments) {
        return JsonObject.of("call", name).with("arguments", arguments);
    }

    /** Fails with a message. */
    static JsonObject fail(String message) {
        return JsonObject.of("fail", message);
    }

    /** Is silent for longer than a stream waits before it has to choose a status. */
    static JsonObject pause() {
        return JsonObject.of("pause", 300);
    }

    /** Says nothing more until it is cancelled. */
    static JsonObject hang() {
        return JsonObject.of("hang", true);
    }
}
