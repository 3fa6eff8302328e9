package skulk.runner.mlx.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.Tensor;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.Logits;
import skulk.runner.mlx.text.Tokenizer;

/** A trained decoder's hidden states: the output head, applied to them, must give the decoder's own logits. */
class DecoderPoolingTest {
    private static final List<String> TEXTS =
            List.of("Once upon a time", "Lily and Tom went to the park to play with a big red ball. ".repeat(12), "a");

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path model = Path.of(System.getProperty("skulk.shared", "../../shared"), "models", "stories260K");
        assumeTrue(Files.isDirectory(model), () -> model + " is absent: no trained decoder to embed with");
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void theLastTokenGivesTheLogits() {
        try (Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults());
                Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertEquals("LAST", embedder.report().string("pooling").orElseThrow());
            Embeddings reply = embedder.embed(Requests.of(TEXTS));
            int count = 0;
            for (int i = 0; i < TEXTS.size(); i++) {
                int[] tokens = tokenizer.encode(TEXTS.get(i), true);
                count += tokens.length;
                float[] vector = reply.vectors().get(i);
                assertTrue(cosine(head(vector), logits(tokens)) > 0.999999, TEXTS.get(i));
                assertArrayEquals(
                        vector, Requests.embed(embedder, List.of(TEXTS.get(i))).getFirst());
            }
            assertEquals(count, reply.promptTokens());
        }
    }

    @Test
    void theMeanIsOverAllTokens() throws IOException {
        Files.createDirectories(folder.resolve("1_Pooling"));
        Files.writeString(folder.resolve("1_Pooling/config.json"), "{\"pooling_mode_mean_tokens\":true}");
        try (Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults());
                Tokenizer tokenizer = Tokenizer.load(folder)) {
            String text = TEXTS.getFirst();
            double[] sum = allLogits(tokenizer.encode(text, true));
            assertTrue(cosine(head(Requests.embed(embedder, List.of(text)).getFirst()), sum) > 0.999999);
        }
    }

    private double[] logits(int[] tokens) {
        return forward(tokens, 1);
    }

    /** Logits are linear in the hidden states: their sum over the tokens points where the head of the mean does. */
    private double[] allLogits(int[] tokens) {
        return forward(tokens, tokens.length);
    }

    private double[] forward(int[] tokens, int rows) {
        LoadOptions options = LoadOptions.defaults().withKernels(LoadOptions.Kernels.EXACT);
        try (Decoder decoder = DecoderLoader.load(folder, options)) {
            Logits logits = new Logits();
            decoder.forward(new Batch(List.of(new Batch.Slice(decoder.cache().newSequence(), tokens, rows))), logits);
            double[] sum = new double[logits.vocab()];
            for (int row = 0; row < rows; row++) {
                for (int v = 0; v < sum.length; v++) {
                    sum[v] += logits.values()[logits.offset(row) + v];
                }
            }
            return sum;
        }
    }

    private double[] head(float[] vector) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            Tensor table =
                    checkpoint.find("lm_head.weight").orElseGet(() -> checkpoint.get("model.embed_tokens.weight"));
            double[] out = new double[(int) table.dim(0)];
            for (int v = 0; v < out.length; v++) {
                for (int d = 0; d < vector.length; d++) {
                    out[v] += (double) table.get((long) v * vector.length + d) * vector[d];
                }
            }
            return out;
        }
    }

    private static double cosine(double[] a, double[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return dot / Math.sqrt(aa * bb);
    }
}
