package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import skulk.runner.mlx.model.LoadOptions.Kernels;
import skulk.runner.mlx.model.LoadOptions.KvFormat;

/** What rounded activations and caches do to the next-token distribution, over text that the exact model wrote. */
class PrecisionTest {
    /** The tables in the documentation are of 6 texts of 200 tokens. */
    private static final int LENGTH = Integer.getInteger("skulk.precision.length", 160);

    private static final int TEXTS = Integer.getInteger("skulk.precision.texts", 2);

    private static final String STORIES = "stories260K in 4 bits";

    @TempDir
    static Path made;

    private static final LoadOptions EXACT =
            LoadOptions.defaults().withThreads(1).withKernels(Kernels.EXACT);

    @TestFactory
    Stream<DynamicTest> roundingStaysWithinTheTolerance() {
        return checkpoints()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    Effect effect = measure(folder, EXACT.withKernels(Kernels.FAST));
                    tell(folder, "rounded activations", effect);
                    assertTrue(effect.divergence < Precision.TOLERANCE, effect.toString());
                    assertTrue(effect.divergence > 0, "nothing was rounded: " + effect);
                    assertTrue(Math.abs(effect.perplexity - 1) < 0.005, effect.toString());
                }));
    }

    @TestFactory
    Stream<DynamicTest> cachesOfEightBitsStayWithinTheTolerance() {
        return checkpoints()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    Effect effect = measure(folder, EXACT.withKv(KvFormat.INT8));
                    tell(folder, "8-bit cache", effect);
                    // heads of 8 dimensions, twice over the tolerance that holds for what is chosen by itself
                    double most = folder.endsWith(STORIES) ? 2 * Precision.TOLERANCE : Precision.TOLERANCE;
                    assertTrue(effect.divergence < most, effect.toString());
                    assertTrue(effect.divergence > 0, "nothing was rounded: " + effect);
                    assertTrue(Math.abs(effect.perplexity - 1) < 0.005, effect.toString());
                }));
    }

    @TestFactory
    Stream<DynamicTest> cachesOfEightBitsGiveTheSameStepByStep() {
        return checkpoints()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    try (Decoder decoder = DecoderLoader.load(folder, EXACT.withKv(KvFormat.INT8))) {
                        int[] text = write(decoder, new Random(3));
                        double[][] whole = probabilities(logits(decoder, text), text.length);
                        Logits logits = new Logits();
                        try (KvSequence sequence = decoder.cache().newSequence()) {
                            for (int i = 0; i < text.length; i++) {
                                decoder.forward(
                                        new Batch(List.of(new Batch.Slice(sequence, new int[] {text[i]}, 1))), logits);
                                assertArrayEquals(whole[i], logarithms(logits.values(), 0, logits.vocab()));
                            }
                        }
                    }
                }));
    }

    private static void tell(Path folder, String what, Effect effect) {
        System.getLogger(PrecisionTest.class.getName())
                .log(System.Logger.Level.INFO, "{0}, {1}: {2}", folder.getFileName(), what, effect);
    }

    private static Stream<Path> checkpoints() {
        List<Path> dense = Stream.of(
                        "golden/llama--4bit-g64",
                        "golden/qwen3--4bit-g64",
                        "golden/gemma3_text--4bit-g64",
                        "golden/phi3--4bit-g64",
                        "models/skulk-tiny")
                .map(name -> Golden.shared().resolve(name))
                .filter(Files::isDirectory)
                .toList();
        assumeTrue(!dense.isEmpty(), "no checkpoints at " + Golden.shared());
        Path stories = Golden.shared().resolve("models/stories260K");
        if (!Files.isDirectory(stories)) {
            return dense.stream();
        }
        Path folder = made.resolve(STORIES);
        try {
            return Stream.concat(
                    dense.stream(),
                    Stream.of(Files.exists(folder.resolve("config.json")) ? folder : Quantised.write(stories, folder)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * @param relative root mean square of the logits' error by that of the logits
     * @param divergence mean Kullback-Leibler divergence, nats per token
     * @param perplexity of the text, changed by exact
     */
    private record Effect(double relative, double divergence, double perplexity) {}

    private static Effect measure(Path folder, LoadOptions changed) {
        double divergence = 0;
        double error = 0;
        double size = 0;
        double surprise = 0;
        int count = 0;
        try (Decoder exact = DecoderLoader.load(folder, EXACT);
                Decoder other = DecoderLoader.load(folder, changed)) {
            Random random = new Random(5);
            for (int t = 0; t < TEXTS; t++) {
                int[] text = write(exact, random);
                Logits plain = logits(exact, text);
                Logits moved = logits(other, text);
                for (int i = 0; i < text.length * plain.vocab(); i++) {
                    error += Math.pow(plain.values()[i] - moved.values()[i], 2);
                    size += Math.pow(plain.values()[i], 2);
                }
                double[][] a = probabilities(plain, text.length);
                double[][] b = probabilities(moved, text.length);
                for (int i = 0; i + 1 < text.length; i++, count++) {
                    surprise += a[i][text[i + 1]] - b[i][text[i + 1]];
                    for (int v = 0; v < a[i].length; v++) {
                        divergence += Math.exp(a[i][v]) * (a[i][v] - b[i][v]);
                    }
                }
            }
        }
        return new Effect(Math.sqrt(error / size), divergence / count, Math.exp(surprise / count));
    }

    /** Samples a text at temperature one. */
    private static int[] write(Decoder decoder, Random random) {
        int[] text = new int[LENGTH];
        text[0] = 1;
        Logits logits = new Logits();
        try (KvSequence sequence = decoder.cache().newSequence()) {
            for (int i = 0; i + 1 < text.length; i++) {
                decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[] {text[i]}, 1))), logits);
                double[] p = logarithms(logits.values(), 0, logits.vocab());
                double left = random.nextDouble();
                int token = 0;
                for (left -= Math.exp(p[0]); left > 0 && token + 1 < p.length; ) {
                    left -= Math.exp(p[++token]);
                }
                text[i + 1] = token;
            }
        }
        return text;
    }

    private static Logits logits(Decoder decoder, int[] text) {
        Logits logits = new Logits();
        try (KvSequence sequence = decoder.cache().newSequence()) {
            decoder.forward(new Batch(List.of(new Batch.Slice(sequence, text, text.length))), logits);
        }
        return logits;
    }

    private static double[][] probabilities(Logits logits, int count) {
        double[][] out = new double[count][];
        Arrays.setAll(out, i -> logarithms(logits.values(), i * logits.vocab(), logits.vocab()));
        return out;
    }

    /** Logarithms of the softmax. */
    private static double[] logarithms(float[] logits, int at, int count) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            max = Math.max(max, logits[at + i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(logits[at + i] - max);
        }
        double[] out = new double[count];
        for (int i = 0; i < count; i++) {
            out[i] = logits[at + i] - max - Math.log(sum);
        }
        return out;
    }
}
