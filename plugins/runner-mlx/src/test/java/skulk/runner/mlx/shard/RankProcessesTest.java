package skulk.runner.mlx.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.Logits;
import skulk.runner.mlx.runner.ModelTool;
import skulk.runner.mlx.schedule.RankSequences;
import skulk.runner.mlx.schedule.StepPlan;

/** Ranks as processes of their own. */
class RankProcessesTest {
    private static final String TOKENS = "5,17,2,40,3,9,11,30,2,8,21";

    private static Path golden(String name) {
        Path folder =
                Path.of(System.getProperty("skulk.shared", "../../shared")).resolve("golden/" + name);
        assumeTrue(Files.isDirectory(folder), "no golden checkpoint at " + folder);
        return folder;
    }

    @ParameterizedTest
    @CsvSource({"llama--4bit-g64,Tensor,2", "gpt_oss--f32,Pipeline,3"})
    void theToolPrintsTheLogitsOfOneRank(String name, String sharding, String ranks) {
        String folder = golden(name).toString();
        JsonObject one = logits(folder, "--ranks", "1");
        JsonObject several = logits(folder, "--ranks", ranks, "--sharding", sharding);
        assertEquals(one.array("greedy"), several.array("greedy"));
        JsonArray expected = one.array("logits").orElseThrow();
        JsonArray actual = several.array("logits").orElseThrow();
        assertEquals(expected.size(), actual.size());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(row(expected, row), row(actual, row), 1e-4);
        }
    }

    private static double[] row(JsonArray rows, int row) {
        return ((JsonArray) rows.items().get(row))
                .items().stream()
                        .mapToDouble(value -> ((JsonNumber) value).toDouble())
                        .toArray();
    }

    private static JsonObject logits(String folder, String... more) {
        String[] arguments = {"logits", folder, "--tokens", TOKENS, "--greedy", "3", "--chunk", "4", "--threads", "1"};
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        assertEquals(0, run(out, err, arguments, more), err::toString);
        return (JsonObject) Json.parse(out.toString().strip());
    }

    private static int run(StringWriter out, StringWriter err, String[] arguments, String... more) {
        ToolProvider tool = new ModelTool();
        String[] all = java.util.stream.Stream.of(arguments, more)
                .flatMap(java.util.Arrays::stream)
                .toArray(String[]::new);
        return tool.run(new PrintWriter(out), new PrintWriter(err), all);
    }

    @Test
    void moreRanksThanTheModelHasPartsAreRefused() {
        String folder = golden("llama--f32").toString();
        String[] arguments = {"logits", folder, "--tokens", "1"};
        StringWriter err = new StringWriter();
        assertEquals(2, run(new StringWriter(), err, arguments, "--ranks", "5"));
        assertTrue(err.toString().contains("4 layers cannot be split over 5 ranks"), err.toString());
        assertEquals(1, run(new StringWriter(), err, arguments, "--ranks", "5", "--sharding", "Tensor"));
        assertTrue(err.toString().contains("4 attention heads cannot be split over 5 ranks"), err.toString());
    }

    @Test
    void aKilledRankEndsTheStepWithinASecond() throws Exception {
        Path folder = golden("llama--f32");
        LoadOptions options = LoadOptions.defaults().withThreads(1);
        ProcessHandle child;
        try (LocalGroup group = new LocalGroup(folder, Splits.tensor(2), options);
                RankSequences sequences = new RankSequences(group.decoder())) {
            child = ProcessHandle.of(group.processes().getFirst()).orElseThrow();
            StepPlan opening = StepPlan.opening(0);
            group.plan(opening);
            sequences.run(opening, new Logits());
            child.destroyForcibly();
            StepPlan step = StepPlan.growing(0, new int[] {1, 2, 3}, 1);
            assertTimeoutPreemptively(Duration.ofSeconds(1), () -> {
                UncheckedIOException lost = assertThrows(UncheckedIOException.class, () -> {
                    group.plan(step);
                    sequences.run(step, new Logits());
                });
                assertTrue(lost.getMessage().contains("rank 1"), lost.getMessage());
            });
        }
        assertFalse(child.isAlive());
    }
}
