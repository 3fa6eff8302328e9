package skulk.runner.mlx.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.embed.ToyBert.Spec;
import skulk.runner.mlx.kernel.Backend;

/** Random encoders of toy size against the plain evaluation in {@link ToyBert}. */
class EncoderTest {
    @TempDir
    private Path folder;

    static Stream<Spec> specs() {
        Spec plain = Spec.plain();
        return Stream.of(
                plain,
                plain.withTypeAndPrefix("bert", "bert."),
                plain.withTypeAndPrefix("bert", "model."),
                plain.withTypeAndPrefix("roberta", "roberta."),
                plain.withTypeAndPrefix("xlm-roberta", ""),
                plain.withAct("gelu_new"),
                plain.withAct("relu"),
                plain.stored(DType.F16, 0),
                plain.stored(DType.BF16, 0),
                plain.stored(DType.F32, 8),
                plain.stored(DType.BF16, 4),
                plain.stored(DType.F16, 4));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void computesWhatThePlainEvaluationComputes(Spec spec) throws IOException {
        ToyBert toy = new ToyBert(spec);
        toy.write(folder);
        List<int[]> texts = words();
        for (Backend backend : List.of(Backend.scalar(), Backend.best())) {
            try (Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults(), backend)) {
                List<float[]> mine = Requests.embed(
                        embedder, texts.stream().map(ToyBert::text).toList());
                for (int i = 0; i < mine.size(); i++) {
                    assertClose(unitMean(toy.rows(ToyBert.tokens(texts.get(i)))), mine.get(i));
                }
            }
        }
    }

    /** Lengths around the sizes of blocks (16) and of query groups (32), up to the limit. */
    private static List<int[]> words() {
        Random random = new Random(5);
        List<int[]> texts = new ArrayList<>();
        for (int length : new int[] {0, 1, 2, 13, 14, 15, 29, 30, 31, 45}) {
            texts.add(random.ints(length, 0, ToyBert.VOCAB - 3).toArray());
        }
        return texts;
    }

    @Test
    void poolsAsTheFileSays() throws IOException {
        ToyBert toy = new ToyBert(Spec.plain());
        toy.write(folder);
        int[] words = {4, 8, 15, 16, 23};
        double[][] rows = toy.rows(ToyBert.tokens(words));
        for (Pooling pooling : Pooling.values()) {
            Files.createDirectories(folder.resolve("1_Pooling"));
            Files.writeString(
                    folder.resolve("1_Pooling/config.json"),
                    "{\"word_embedding_dimension\":24,\"" + pooling.flag() + "\":true}");
            try (Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults())) {
                float[] mine =
                        Requests.embed(embedder, List.of(ToyBert.text(words))).getFirst();
                assertClose(unit(pooled(pooling, rows)), mine);
                assertEquals(pooling.name(), embedder.report().string("pooling").orElseThrow());
            }
        }
    }

    private static double[] pooled(Pooling pooling, double[][] rows) {
        double[] out = new double[rows[0].length];
        for (int d = 0; d < out.length; d++) {
            int column = d;
            double[] values = Stream.of(rows).mapToDouble(r -> r[column]).toArray();
            double weighted = 0;
            for (int t = 0; t < values.length; t++) {
                weighted += values[t] * (t + 1);
            }
            out[d] = switch (pooling) {
                case CLS -> values[0];
                case LAST -> values[values.length - 1];
                case MAX -> java.util.Arrays.stream(values).max().orElseThrow();
                // the same direction: the vector is scaled to unit length
                case MEAN, MEAN_SQRT_LENGTH -> java.util.Arrays.stream(values).sum();
                case WEIGHTED_MEAN -> weighted;
            };
        }
        return out;
    }

    @Test
    void givesATextTheSameBitsInAnyCompany() throws IOException {
        new ToyBert(Spec.plain()).write(folder);
        List<String> texts = words().stream().map(ToyBert::text).toList();
        EmbedOptions oneByOne = EmbedOptions.defaults().withThreads(1).withMaxBatchTokens(1);
        EmbedOptions together = EmbedOptions.defaults().withThreads(3).withMaxBatchTokens(10_000);
        try (Embedder single = EmbedderLoader.load(folder, oneByOne);
                Embedder batching = EmbedderLoader.load(folder, together)) {
            List<float[]> alone = Requests.embed(single, texts);
            List<float[]> batched = Requests.embed(batching, texts);
            List<float[]> reversed = Requests.embed(batching, texts.reversed());
            assertEquals(texts.size(), single.report().integer("batches").orElseThrow());
            assertEquals(2, batching.report().integer("batches").orElseThrow());
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(alone.get(i), batched.get(i));
                assertArrayEquals(alone.get(i), reversed.get(texts.size() - 1 - i));
            }
        }
    }

    @Test
    void geluIsExactToFloatPrecision() {
        float[] x = new float[4001];
        for (int i = 0; i < x.length; i++) {
            x[i] = (i - 2000) / 250f;
        }
        float[] y = x.clone();
        Gelu.apply(y, 0, y.length);
        for (int i = 0; i < x.length; i++) {
            assertEquals(ToyBert.gelu(x[i]), y[i], 3e-7 * Math.max(1, Math.abs(x[i])), "gelu(" + x[i] + ")");
        }
    }

    private static double[] unitMean(double[][] rows) {
        return unit(pooled(Pooling.MEAN, rows));
    }

    private static double[] unit(double[] vector) {
        double length =
                Math.sqrt(java.util.Arrays.stream(vector).map(v -> v * v).sum());
        return java.util.Arrays.stream(vector).map(v -> v / length).toArray();
    }

    private static void assertClose(double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int d = 0; d < expected.length; d++) {
            assertEquals(expected[d], actual[d], 3e-6);
        }
    }
}
