package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.model.LoadOptions.Kernels;

/** Logits of the golden checkpoints, however a prompt is cut, batched or shared. */
class GoldenTest {
    private static final LoadOptions TWO_THREADS = LoadOptions.defaults().withThreads(2);

    @TestFactory
    Stream<DynamicTest> agreesWithMlx() {
        assumeTrue(!Golden.all().isEmpty(), "no golden checkpoints at " + Golden.shared());
        return Golden.all().stream()
                .map(g -> DynamicTest.dynamicTest(g.name(), () -> {
                    try (Decoder decoder = DecoderLoader.load(g.folder(), TWO_THREADS)) {
                        check(g, Golden.evaluate(decoder, g, g.prompt().length));
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> scalarKernelsAgreeWithMlx() {
        assumeTrue(!Golden.all().isEmpty(), "no golden checkpoints at " + Golden.shared());
        return Golden.all().stream()
                .map(g -> DynamicTest.dynamicTest(g.name(), () -> {
                    try (Decoder decoder = DecoderLoader.load(g.folder(), TWO_THREADS, Backend.scalar())) {
                        check(g, Golden.evaluate(decoder, g, g.prompt().length));
                    }
                }));
    }

    /** In the arithmetic of MLX the BF16 variants agree to the last digit that the file has. */
    @TestFactory
    Stream<DynamicTest> bf16AsMlxRoundsItAgreesToTheBit() {
        List<Golden> goldens =
                Golden.all().stream().filter(g -> g.name().endsWith("-bf16")).toList();
        assumeTrue(!goldens.isEmpty(), "no golden checkpoints at " + Golden.shared());
        return goldens.stream()
                .map(g -> DynamicTest.dynamicTest(g.name(), () -> {
                    try (Decoder decoder = DecoderLoader.load(g.folder(), TWO_THREADS.withKernels(Kernels.MLX))) {
                        float[][] rows = Golden.evaluate(decoder, g, g.prompt().length);
                        float worst = Golden.difference(rows, g.logits());
                        assertTrue(worst < 1e-6, g.name() + " differs by " + worst);
                        if (g.steady()) {
                            assertArrayEquals(rows, Agreement.check(decoder, g));
                        }
                        for (int i = 0; i < g.greedy().length; i++) {
                            assertEquals(g.greedy()[i], Golden.argmax(rows[i]), "greedy token " + i);
                        }
                    }
                }));
    }

    /**
     * MLX on this kind of CPU sums BF16 products in BF16, which moves logits of the BF16 variants by up to 0.7 from an
     * evaluation of the same weights in floats. So the kernels that serve are held to the size of that rounding here,
     * and {@link #bf16AsMlxRoundsItAgreesToTheBit} shows that nothing but this rounding separates them.
     */
    private static void check(Golden golden, float[][] rows) {
        float worst = Golden.difference(rows, golden.logits());
        if (golden.name().endsWith("-bf16")) {
            double rms = Golden.rms(rows, golden.logits());
            assertTrue(rms < 0.2, golden.name() + " differs by " + rms + " (root mean square)");
        } else {
            assertTrue(worst <= golden.tolerance(), golden.name() + " differs by " + worst);
        }
    }

    @TestFactory
    Stream<DynamicTest> chunksBatchesAndSharedPrefixesChangeNoBit() {
        assumeTrue(!Golden.all().isEmpty(), "no golden checkpoints at " + Golden.shared());
        return Golden.all().stream()
                .map(g -> DynamicTest.dynamicTest(g.name(), () -> {
                    try (Decoder decoder = DecoderLoader.load(g.folder(), TWO_THREADS)) {
                        Agreement.check(decoder, g);
                    }
                }));
    }

    @Test
    void trainedModelsContinueAsExpected() {
        for (String name : List.of("stories260K", "skulk-tiny")) {
            var folder = Golden.shared().resolve("models").resolve(name);
            assumeTrue(Files.isDirectory(folder), "no model at " + folder);
            try (Decoder decoder = DecoderLoader.load(folder, TWO_THREADS)) {
                JsonArray cases = (JsonArray) Golden.parse(folder.resolve("golden.json"));
                cases.items().forEach(c -> continues(decoder, (JsonObject) c));
            }
        }
    }

    private static void continues(Decoder decoder, JsonObject golden) {
        Logits logits = new Logits();
        int[] expected = Golden.ints(golden.array("greedy_ids").orElseThrow());
        int[] actual = new int[expected.length];
        try (KvSequence sequence = decoder.cache().newSequence()) {
            int[] tokens = Golden.ints(golden.array("prompt_ids").orElseThrow());
            for (int i = 0; i < expected.length; i++) {
                decoder.forward(new Batch(List.of(new Batch.Slice(sequence, tokens, 1))), logits);
                if (i == 0) {
                    golden.array("first_logits")
                            .ifPresent(first -> assertArrayEquals(
                                    Golden.floats(first), Arrays.copyOf(logits.values(), logits.vocab()), 1e-3f));
                }
                actual[i] = logits.argmax(0);
                tokens = new int[] {actual[i]};
            }
        }
        if (golden.number("min_margin").orElseThrow() > 0.01) {
            assertArrayEquals(expected, actual, golden.toString());
        }
    }
}
