package skulk.runner.mlx.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/**
 * A golden checkpoint: what MLX computed for a prompt and its own greedy continuation.
 *
 * @param steady MLX gets the same, to the bit, however it cuts the tokens into steps
 */
record Golden(Path folder, int[] prompt, int[] greedy, float[][] logits, boolean steady) {

    /** The shared folder of goldens and models; may be absent. */
    static Path shared() {
        return Path.of(System.getProperty("skulk.shared", "../../shared"));
    }

    /** All golden checkpoints; none where the shared folder is absent. */
    static List<Golden> all() {
        Path root = shared().resolve("golden");
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(root)) {
            return folders.filter(Files::isDirectory)
                    .sorted(Comparator.comparing(Path::toString))
                    .map(Golden::read)
                    .toList();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Golden read(Path folder) {
        JsonObject json = (JsonObject) parse(folder.resolve("golden.json"));
        JsonArray rows = json.array("logits").orElseThrow();
        float[][] logits =
                rows.items().stream().map(row -> floats((JsonArray) row)).toArray(float[][]::new);
        return new Golden(
                folder,
                ints(json.array("prompt").orElseThrow()),
                ints(json.array("greedy").orElseThrow()),
                logits,
                steady(json));
    }

    static boolean steady(JsonObject json) {
        return json.number("mlx_own_drift").orElse(0.0) == 0;
    }

    static Json parse(Path file) {
        try {
            return Json.parse(Files.readAllBytes(file));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static int[] ints(JsonArray array) {
        return array.items().stream()
                .mapToInt(i -> (int) ((JsonNumber) i).toLong())
                .toArray();
    }

    static float[] floats(JsonArray array) {
        float[] out = new float[array.items().size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) ((JsonNumber) array.items().get(i)).toDouble();
        }
        return out;
    }

    String name() {
        return folder.getFileName().toString();
    }

    /** Largest difference of a logit that the variant allows. */
    float tolerance() {
        String name = name();
        return name.endsWith("--f32") ? 1e-4f : name.endsWith("-bf16") ? 0.1f : 1e-3f;
    }

    static int argmax(float[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            best = row[i] > row[best] ? i : best;
        }
        return best;
    }

    /** Evaluates the prompt in chunks and then the greedy tokens one by one; the rows as in the file. */
    static float[][] evaluate(Decoder decoder, Golden golden, int chunk) {
        try (KvSequence sequence = decoder.cache().newSequence()) {
            return evaluate(decoder, golden, chunk, sequence, List.of());
        }
    }

    /** The same in a sequence that may have a prefix already, with other sequences that get a token in every step. */
    static float[][] evaluate(
            Decoder decoder, Golden golden, int chunk, KvSequence sequence, List<KvSequence> company) {
        Logits logits = new Logits();
        List<float[]> rows = new ArrayList<>();
        while (sequence.length() < golden.prompt.length) {
            int from = sequence.length();
            int to = Math.min(from + chunk, golden.prompt.length);
            boolean last = to == golden.prompt.length;
            step(
                    decoder,
                    sequence,
                    java.util.Arrays.copyOfRange(golden.prompt, from, to),
                    last ? 1 : 0,
                    company,
                    logits);
        }
        rows.add(row(logits));
        for (int token : golden.greedy) {
            step(decoder, sequence, new int[] {token}, 1, company, logits);
            rows.add(row(logits));
        }
        return rows.toArray(float[][]::new);
    }

    private static void step(
            Decoder decoder, KvSequence sequence, int[] tokens, int rows, List<KvSequence> company, Logits logits) {
        List<Batch.Slice> slices = new ArrayList<>();
        slices.add(new Batch.Slice(sequence, tokens, rows));
        for (int i = 0; i < company.size(); i++) {
            int[] others = new int[1 + i];
            java.util.Arrays.fill(others, 3 + i);
            slices.add(new Batch.Slice(company.get(i), others, 1));
        }
        decoder.forward(new Batch(slices), logits);
    }

    static float[] row(Logits logits) {
        return java.util.Arrays.copyOf(logits.values(), logits.vocab());
    }

    /** Root mean square of the differences, as far as {@code b} goes. */
    static double rms(float[][] a, float[][] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < b[i].length; j++) {
                sum += Math.pow(a[i][j] - b[i][j], 2);
            }
        }
        return Math.sqrt(sum / a.length / b[0].length);
    }

    static float difference(float[][] a, float[][] b) {
        float worst = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[i].length; j++) {
                float d = Math.abs(a[i][j] - b[i][j]);
                worst = d <= worst ? worst : d;
            }
        }
        return worst;
    }
}
