package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.model.LoadOptions.Kernels;
import skulk.runner.mlx.model.LoadOptions.Shard;

/** Every architecture, as a toy: right at all, and the same however its prompt is cut, batched, shared or split. */
class ToyTest {
    private static final LoadOptions ONE_THREAD = LoadOptions.defaults().withThreads(1);

    /** Toys some of whose tokens go to another expert once their router's inputs are rounded. */
    private static final Set<String> ROUTED = Set.of("qwen3_5_moe", "qwen3_next_original");

    @TempDir
    Path folder;

    @Test
    void everyArchitectureHasAToy() {
        var covered = Toy.all().stream().map(Toy::modelType).collect(Collectors.toCollection(TreeSet::new));
        var missing = new TreeSet<>(Architectures.KNOWN);
        missing.removeAll(covered);
        assertEquals(new TreeSet<>(), missing, "without a toy");
    }

    @TestFactory
    Stream<DynamicTest> agrees() {
        return Toy.all().stream()
                .map(toy -> DynamicTest.dynamicTest(toy.name(), () -> {
                    Golden golden = toy.write(folder.resolve(toy.name()));
                    float[][] whole;
                    try (Decoder decoder = DecoderLoader.load(golden.folder(), ONE_THREAD.withThreads(2))) {
                        whole = Agreement.check(decoder, golden);
                    }
                    near(golden.logits(), whole, "from the expected");
                    try (Decoder decoder = DecoderLoader.load(golden.folder(), ONE_THREAD, Backend.scalar())) {
                        near(golden.logits(), Golden.evaluate(decoder, golden, 7), "from the expected, scalar");
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> splitsByLayersAndTensors() {
        return Toy.all().stream()
                .map(toy -> DynamicTest.dynamicTest(toy.name(), () -> {
                    Golden golden = toy.write(folder.resolve(toy.name()));
                    int layers = layers(golden);
                    for (int ranks : new int[] {2, 3}) {
                        near(
                                golden.logits(),
                                Agreement.split(
                                        golden,
                                        ranks,
                                        rank -> Shard.layers(rank * layers / ranks, (rank + 1) * layers / ranks)),
                                "from the expected, layers over " + ranks);
                        near(
                                golden.logits(),
                                Agreement.split(golden, ranks, rank -> Shard.tensors(rank, ranks)),
                                "from the expected, tensors over " + ranks);
                    }
                }));
    }

    /** Every operation is rounded where MLX rounds it, so the logits are MLX's to the bit, on one rank and split. */
    @TestFactory
    Stream<DynamicTest> bf16AsMlxRoundsItAgreesToTheBit() {
        return Toy.bf16().stream()
                .map(toy -> DynamicTest.dynamicTest(toy.name(), () -> {
                    Golden golden = toy.write(folder.resolve(toy.name()));
                    LoadOptions options = ONE_THREAD.withKernels(Kernels.MLX);
                    try (Decoder decoder = DecoderLoader.load(golden.folder(), options)) {
                        same(golden.logits(), Golden.evaluate(decoder, golden, golden.prompt().length), "MLX");
                        if (!golden.steady()) {
                            return; // MLX itself gets something else when it cuts the tokens in another way
                        }
                        same(golden.logits(), Agreement.check(decoder, golden), "whole");
                    }
                    int layers = layers(golden);
                    IntFunction<Shard> byLayers = r -> Shard.layers(r * layers / 2, (r + 1) * layers / 2);
                    same(golden.logits(), Agreement.split(golden, 2, byLayers, Kernels.MLX), "split by layers");
                    if (toy.config().has("quantization")) { // sums of plain weights are rounded on every rank
                        IntFunction<Shard> byTensors = r -> Shard.tensors(r, 2);
                        same(golden.logits(), Agreement.split(golden, 2, byTensors, Kernels.MLX), "split by tensors");
                    }
                }));
    }

    /** Other programs store one more scale per matrix; without it every value would be wrong. */
    @Test
    void refusesScalesOfWholeMatrices() throws IOException {
        Toy toy = Toy.read("llama_nvfp4");
        String scale = "model.layers.0.self_attn.q_proj.weight_scale_2";
        JsonObject tensors = toy.json().object("tensors").orElseThrow().with(scale, new JsonString("F32 1 1 0"));
        Golden golden =
                new Toy("whole_scale", toy.json().with("tensors", tensors)).write(folder.resolve("whole_scale"));
        CheckpointException refusal =
                assertThrows(CheckpointException.class, () -> DecoderLoader.load(golden.folder(), ONE_THREAD));
        assertTrue(refusal.getMessage().contains(scale + " is a scale of a whole matrix"), refusal.getMessage());
    }

    private static void same(float[][] expected, float[][] rows, String what) {
        float worst = Golden.difference(expected, first(rows, expected[0].length));
        assertTrue(worst == 0, "differs by " + worst + ": " + what);
    }

    private static float[][] first(float[][] rows, int count) {
        return Arrays.stream(rows).map(row -> Arrays.copyOf(row, count)).toArray(float[][]::new);
    }

    /**
     * Rounding everything to BF16 moves logits, but not far, and chunks and company do not move them further, whatever the
     * weights are.
     */
    @TestFactory
    Stream<DynamicTest> roundedToBf16StaysNear() {
        return Toy.all().stream()
                .map(toy -> DynamicTest.dynamicTest(toy.name(), () -> {
                    Golden golden = toy.write(folder.resolve(toy.name()));
                    try (Decoder decoder = DecoderLoader.load(golden.folder(), ONE_THREAD.withKernels(Kernels.MLX))) {
                        float[][] whole = Golden.evaluate(decoder, golden, golden.prompt().length);
                        float[][] chunks = Golden.evaluate(decoder, golden, 5);
                        float[][] expected = golden.logits();
                        double size = Golden.rms(new float[expected.length][expected[0].length], expected);
                        double moved = Golden.rms(whole, expected) / size;
                        assertTrue(moved > 1e-3, "nothing was rounded");
                        assertTrue(moved < (ROUTED.contains(toy.name()) ? 0.8 : 0.15), "moved by " + moved);
                        assertEquals(0, Golden.difference(whole, chunks), "chunks");
                        float[][] split = Agreement.split(golden, 2, rank -> Shard.tensors(rank, 2), Kernels.MLX);
                        // ranks hand on sums of quantised weights as MLX rounds them, those of plain ones rounded once
                        // more,
                        // which can send a token to another expert
                        double apart = Golden.rms(split, whole) / size;
                        assertTrue(
                                toy.config().has("quantization")
                                        ? apart == 0
                                        : apart < (ROUTED.contains(toy.name()) ? 0.8 : 0.3),
                                "split by tensors is " + apart + " apart");
                    }
                }));
    }

    private static int layers(Golden golden) throws IOException {
        try (Decoder decoder = DecoderLoader.load(golden.folder(), ONE_THREAD)) {
            return decoder.spec().layers();
        }
    }

    private static void near(float[][] expected, float[][] rows, String what) {
        assertEquals(expected.length, rows.length);
        float worst = Golden.difference(expected, first(rows, expected[0].length));
        assertTrue(worst < 1e-4, "differs by " + worst + " " + what);
    }
}
