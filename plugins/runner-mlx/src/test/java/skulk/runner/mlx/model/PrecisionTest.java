package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import skulk.runner.mlx.model.LoadOptions.Kernels;
import skulk.runner.mlx.model.LoadOptions.KvFormat;

/** What rounded activations and caches do to the next-token distribution, over text that the exact model wrote. */
class PrecisionTest {
    private static final int LENGTH = 160;
    private static final int TEXTS = 2;

    private static final LoadOptions EXACT =
            LoadOptions.defaults().withThreads(1).withKernels(Kernels.EXACT);

    @TestFactory
    Stream<DynamicTest> roundingStaysWithinTheTolerance() {
        return checkpoints()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    Effect effect = measure(folder, EXACT.withKernels(Kernels.FAST));
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
                    System.getLogger(PrecisionTest.class.getName())
                            .log(System.Logger.Level.INFO, "{0}, 8-bit cache: {1}", folder.getFileName(), effect);
                    assertTrue(effect.divergence < Precision.TOLERANCE, effect.toString());
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
                        double[][] whole = probabilities(decoder, text);
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
        return dense.stream();
    }

    /**
     * @param divergence mean Kullback-Leibler divergence, nats per token
     * @param perplexity of the text, changed by exact
     */
    private record Effect(double divergence, double perplexity) {}

    private static Effect measure(Path folder, LoadOptions changed) {
        double divergence = 0;
        double surprise = 0;
        int count = 0;
        try (Decoder exact = DecoderLoader.load(folder, EXACT);
                Decoder other = DecoderLoader.load(folder, changed)) {
            Random random = new Random(5);
            for (int t = 0; t < TEXTS; t++) {
                int[] text = write(exact, random);
                double[][] a = probabilities(exact, text);
                double[][] b = probabilities(other, text);
                for (int i = 0; i + 1 < text.length; i++, count++) {
                    surprise += a[i][text[i + 1]] - b[i][text[i + 1]];
                    for (int v = 0; v < a[i].length; v++) {
                        divergence += Math.exp(a[i][v]) * (a[i][v] - b[i][v]);
                    }
                }
            }
        }
        return new Effect(divergence / count, Math.exp(surprise / count));
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

    private static double[][] probabilities(Decoder decoder, int[] text) {
        Logits logits = new Logits();
        try (KvSequence sequence = decoder.cache().newSequence()) {
            decoder.forward(new Batch(List.of(new Batch.Slice(sequence, text, text.length))), logits);
        }
        double[][] out = new double[text.length][];
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
