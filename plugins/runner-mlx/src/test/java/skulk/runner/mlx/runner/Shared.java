package skulk.runner.mlx.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/** Reference material beside the project; tests that need it are skipped where it is absent. */
public final class Shared {
    private Shared() {}

    public static Path folder(String name) {
        Path path = Path.of(System.getProperty("skulk.shared", "../../../shared"), name);
        Assumptions.assumeTrue(Files.exists(path), path + " is absent: nothing to compare with");
        return path;
    }

    public static JsonArray array(Path file) throws IOException {
        return (JsonArray) Json.parse(Files.readAllBytes(file));
    }

    public static int[] ints(JsonObject object, String name) {
        return object.array(name).orElseThrow().items().stream()
                .mapToInt(item -> (int) ((JsonNumber) item).toLong())
                .toArray();
    }
}
