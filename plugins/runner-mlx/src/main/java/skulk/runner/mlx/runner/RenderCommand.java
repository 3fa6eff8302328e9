package skulk.runner.mlx.runner;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.template.ChatTemplate;
import skulk.runner.mlx.text.CheckpointText;

/** {@code model render}: what a chat template makes of a context. */
final class RenderCommand {
    private RenderCommand() {}

    static void run(Path subject, Arguments arguments, PrintWriter out) throws IOException {
        arguments.allow(Set.of("context"));
        Path file = Path.of(arguments.required("context"));
        if (!(Json.parse(Files.readAllBytes(file)) instanceof JsonObject object)) {
            throw new JsonException(file + " is not a JSON object", -1);
        }
        Map<String, Object> context = new LinkedHashMap<>();
        String template;
        if (Files.isDirectory(subject)) {
            CheckpointText text = CheckpointText.load(subject);
            context.putAll(text.specialTokens());
            boolean tools = object.find("tools").isPresent();
            template = text.template(tools)
                    .orElseThrow(() -> new IllegalArgumentException(subject + " has no chat template"));
        } else {
            template = Files.readString(subject);
        }
        object.members().forEach((name, value) -> context.put(name, value.toJava()));
        out.print(ChatTemplate.compile(template).render(context));
    }
}
