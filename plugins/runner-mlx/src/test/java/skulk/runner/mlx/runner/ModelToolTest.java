package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

class ModelToolTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return new ModelTool().run(new PrintWriter(out), new PrintWriter(err), args);
    }

    @Test
    void logitsEqualTheGoldenWholeAndInChunks() throws Exception {
        Path folder = Shared.folder("golden/llama--f32");
        JsonObject golden = (JsonObject) Json.parse(Files.readAllBytes(folder.resolve("golden.json")));
        String tokens = Arrays.stream(Shared.ints(golden, "prompt"))
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(","));
        for (String chunk : new String[] {"100", "5"}) {
            out.getBuffer().setLength(0);
            assertEquals(
                    0,
                    run(
                            "logits",
                            folder.toString(),
                            "--tokens",
                            tokens,
                            "--greedy",
                            "4",
                            "--chunk",
                            chunk,
                            "--threads",
                            "2"),
                    err::toString);
            JsonObject printed = (JsonObject) Json.parse(out.toString().strip());
            assertArrayEquals(Shared.ints(golden, "prompt"), Shared.ints(printed, "prompt"));
            assertArrayEquals(Shared.ints(golden, "greedy"), Shared.ints(printed, "greedy"));
            JsonArray expected = golden.array("logits").orElseThrow();
            JsonArray actual = printed.array("logits").orElseThrow();
            assertEquals(expected.size(), actual.size());
            for (int row = 0; row < expected.size(); row++) {
                assertArrayEquals(row(expected, row), row(actual, row), 1e-4);
            }
        }
    }

    private static double[] row(JsonArray rows, int row) {
        return ((JsonArray) rows.items().get(row))
                .items().stream()
                        .mapToDouble(value -> ((JsonNumber) value).toDouble())
                        .toArray();
    }

    @Test
    void renderPrintsThePromptByteForByte(@TempDir Path temp) throws Exception {
        Path templates = Shared.folder("templates");
        JsonObject cases = (JsonObject) Json.parse(Files.readAllBytes(templates.resolve("Qwen3-Coder.json")));
        for (Json json : cases.array("cases").orElseThrow()) {
            JsonObject one = (JsonObject) json;
            Path context = temp.resolve("context.json");
            Files.writeString(context, one.object("context").orElseThrow().toString());
            out.getBuffer().setLength(0);
            int status =
                    run("render", templates.resolve("Qwen3-Coder.jinja").toString(), "--context", context.toString());
            if (one.string("expected").isPresent()) {
                assertEquals(0, status, err::toString);
                assertEquals(one.string("expected").get(), out.toString());
            } else {
                assertEquals(1, status);
            }
        }
    }

    @Test
    void renderTakesSpecialTokensFromAFolder(@TempDir Path temp) throws Exception {
        Path folder = Shared.folder("models/skulk-tiny");
        JsonObject golden =
                (JsonObject) Shared.array(folder.resolve("golden.json")).items().getFirst();
        Path context = temp.resolve("context.json");
        Files.writeString(context, golden.with("add_generation_prompt", true).toString());
        assertEquals(0, run("render", folder.toString(), "--context", context.toString()), err::toString);
        assertEquals(golden.string("rendered").orElseThrow(), out.toString());
    }

    @Test
    void mistakesAreExplained() {
        assertEquals(2, run("logits"));
        assertEquals(2, run("logits", "/nowhere", "--tokens", "1,x"));
        assertEquals(2, run("render", "/nowhere", "--contxt", "f"));
        assertEquals(1, run("logits", "/nowhere/at/all", "--tokens", "1"));
        assertTrue(err.toString().contains("/nowhere/at/all"), err.toString());
        assertEquals("", out.toString());
    }
}
