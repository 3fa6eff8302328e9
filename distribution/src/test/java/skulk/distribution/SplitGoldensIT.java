package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/**
 * Logits of rank processes, as {@code skulk model logits} prints them, against those of MLX: 2, 3 and 4 ranks in both strategies. The build tries a few;
 * {@code -Dskulk.goldens=all} tries every golden checkpoint and writes what it saw to {@code target/split-goldens.txt}.
 */
class SplitGoldensIT {
    private static final boolean ALL = System.getProperty("skulk.goldens", "").equals("all");
    private static final List<Split> SAMPLE = List.of(
            new Split("gpt_oss--4bit-g64", "Tensor", 2),
            new Split("llama--8bit-g32-bf16", "Tensor", 2),
            new Split("qwen3_moe--f32", "Pipeline", 3),
            new Split("gemma3_text--f32", "Pipeline", 4));

    @TempDir
    private Path temp;

    /** One way to run one checkpoint. */
    private record Split(String golden, String sharding, int ranks) {
        @Override
        public String toString() {
            return "%-32s %-8s %d".formatted(golden, sharding, ranks);
        }
    }

    @Test
    void rankProcessesAgreeWithMlx() throws Exception {
        Path root = Path.of(System.getProperty("skulk.shared", "../../shared"), "golden");
        assumeTrue(Files.isDirectory(root), "no golden checkpoints at " + root);
        List<String> lines = new ArrayList<>();
        for (Split split : ALL ? all(root) : SAMPLE) {
            String found = run(root.resolve(split.golden), split);
            lines.add(split + " " + found);
            Files.writeString(Path.of("target", "split-goldens.txt"), String.join("\n", lines) + "\n");
        }
    }

    private static List<Split> all(Path root) throws IOException {
        List<Split> splits = new ArrayList<>();
        try (Stream<Path> folders = Files.list(root).filter(Files::isDirectory).sorted()) {
            for (Path folder : folders.toList()) {
                for (String sharding : List.of("Pipeline", "Tensor")) {
                    for (int ranks = 2; ranks <= 4; ranks++) {
                        splits.add(new Split(folder.getFileName().toString(), sharding, ranks));
                    }
                }
            }
        }
        return splits;
    }

    /** Answers the largest difference of a logit. */
    private String run(Path folder, Split split) throws Exception {
        JsonObject golden = (JsonObject) Json.parse(Files.readAllBytes(folder.resolve("golden.json")));
        List<Integer> prompt = ints(golden.array("prompt").orElseThrow());
        List<String> command = new ArrayList<>(List.of("model", "logits", folder.toString(), "--tokens"));
        command.add(prompt.toString().replaceAll("[\\[\\] ]", ""));
        List<Integer> greedy = ints(golden.array("greedy").orElseThrow());
        command.addAll(List.of("--greedy", Integer.toString(greedy.size()), "--threads", "1"));
        command.addAll(List.of("--ranks", Integer.toString(split.ranks), "--sharding", split.sharding));
        try (SkulkProcess process = SkulkProcess.start(temp, Map.of(), command)) {
            assertEquals(0, process.exitCode(Duration.ofMinutes(1)), split + ": " + process.log());
            String line = process.log()
                    .lines()
                    .filter(l -> l.startsWith("{"))
                    .findFirst()
                    .orElseThrow();
            JsonObject result = (JsonObject) Json.parse(line);
            assertEquals(greedy, ints(result.array("greedy").orElseThrow()), split.toString());
            double difference = difference(
                    result.array("logits").orElseThrow(), golden.array("logits").orElseThrow());
            assertTrue(difference <= tolerance(split.golden), split + " differs by " + difference);
            return String.format(Locale.ROOT, "%.1e", difference);
        }
    }

    /** As the goldens' own description has it; the BF16 ones are compared in MLX's own arithmetic. */
    private static double tolerance(String name) {
        return name.endsWith("--f32") ? 1e-4 : name.endsWith("-bf16") ? 1e-5 : 1e-3;
    }

    private static double difference(JsonArray a, JsonArray b) {
        assertEquals(b.items().size(), a.items().size());
        double worst = 0;
        for (int i = 0; i < a.items().size(); i++) {
            List<Json> mine = ((JsonArray) a.items().get(i)).items();
            List<Json> theirs = ((JsonArray) b.items().get(i)).items();
            assertEquals(theirs.size(), mine.size());
            for (int j = 0; j < mine.size(); j++) {
                worst = Math.max(
                        worst,
                        Math.abs(((JsonNumber) mine.get(j)).toDouble() - ((JsonNumber) theirs.get(j)).toDouble()));
            }
        }
        return worst;
    }

    private static List<Integer> ints(JsonArray array) {
        return array.items().stream().map(i -> (int) ((JsonNumber) i).toLong()).toList();
    }
}
