package skulk.runner.mlx.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import skulk.api.cluster.EngineSpeed;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Measures the kernels of this machine: products of the usual formats, and the steps of a small model for what a layer takes beside them. The best of a few tries,
 * so that a moment's other load does not count. Takes a few seconds, most of them for compiling.
 */
public final class EngineProbe {
    private static final int COLS = 2048;
    /** Beyond the caches of most processors. */
    private static final long BYTES = 64L << 20;

    private static final int PROMPT_ROWS = 64;
    private static final int PROMPT_OUTPUTS = 4096;
    private static final int TRIES = 7;
    private static final int GROUP = 64;

    private static final String SHAPE = "tiny";
    private static final int SHORT = 16;
    private static final int LONG = 1040;
    private static final int STEPS = 16;
    private static final int ROUNDS = 20;

    private EngineProbe() {}

    /**
     * Measures.
     *
     * @param threads that compute
     * @throws IOException where the small model cannot be written to the temporary folder
     */
    public static EngineSpeed measure(int threads) throws IOException {
        List<EngineSpeed.Format> formats = new ArrayList<>();
        try (WorkerPool pool = new WorkerPool(threads)) {
            Ops rounded = new Ops(Backend.best(), pool, Collectives.alone(), true);
            Ops exact = new Ops(Backend.best(), pool, Collectives.alone(), false);
            TileFormat four = TileFormat.affine(4, GROUP, false);
            formats.add(format(rounded, four, true));
            formats.add(format(exact, four, false));
            formats.add(format(exact, TileFormat.affine(8, GROUP, false), true));
            formats.add(format(exact, TileFormat.plain(TileFormat.Kind.BF16), true));
        }
        return speed(threads, formats);
    }

    private static EngineSpeed.Format format(Ops ops, TileFormat format, boolean dense) {
        Warmup.matrices(ops, Set.of(format));
        int outputs = (int) (BYTES / (format.tileBytes(COLS) / TileFormat.ROWS)) / TileFormat.ROWS * TileFormat.ROWS;
        try (NativeMemory memory = new NativeMemory()) {
            double one = (double) outputs * COLS / seconds(ops, matrix(memory, format, outputs), 1);
            double many = (double) PROMPT_OUTPUTS
                    * COLS
                    * PROMPT_ROWS
                    / seconds(ops, matrix(memory, format, PROMPT_OUTPUTS), PROMPT_ROWS);
            return new EngineSpeed.Format(format.bits(), dense, one, many);
        }
    }

    /** Untouched memory would be one page of zeros, which a cache holds. */
    private static TileMatrix matrix(NativeMemory memory, TileFormat format, int rows) {
        TileMatrix matrix = new TileMatrix(rows, COLS, format, memory.reserve(TileMatrix.bytes(rows, COLS, format)));
        matrix.data().fill((byte) 0x11);
        return matrix;
    }

    private static double seconds(Ops ops, TileMatrix matrix, int rows) {
        float[] input = new float[rows * COLS];
        float[] output = new float[rows * matrix.rows()];
        List<Product.Unit> units = List.of(new Product.Unit(matrix, input, 0, COLS, rows, output, 0, matrix.rows()));
        long best = Long.MAX_VALUE;
        for (int i = 0; i < TRIES; i++) {
            long start = System.nanoTime();
            ops.products(units);
            best = Math.min(best, System.nanoTime() - start);
        }
        return best / 1e9;
    }

    /** What is there beside products, from tokens of a model that is nearly nothing else, with little and with more before them. */
    private static EngineSpeed speed(int threads, List<EngineSpeed.Format> formats) throws IOException {
        Path folder = Files.createTempDirectory("skulk-probe");
        try {
            SyntheticCheckpoint.write(folder, SHAPE, 4, GROUP);
            LoadOptions options = LoadOptions.defaults()
                    .withThreads(threads)
                    .withKernels(LoadOptions.Kernels.FAST)
                    .withKv(LoadOptions.KvFormat.BF16)
                    .withLimits(new LoadOptions.Limits(Long.MAX_VALUE, 64L << 20, 4096));
            try (Decoder decoder = DecoderLoader.load(folder, options)) {
                double little = step(decoder, SHORT);
                double more = step(decoder, LONG);
                int layers = decoder.spec().layers();
                double products =
                        SyntheticCheckpoint.products(SHAPE) / formats.getFirst().decodeRate();
                // keys and values
                double attended = 2.0 * decoder.spec().hidden() * (LONG - SHORT) * layers;
                return new EngineSpeed(
                        formats, Math.max(0, (little - products) / layers), attended / Math.max(1e-9, more - little));
            }
        } finally {
            delete(folder);
        }
    }

    /** Seconds of a token behind so many others. */
    private static double step(Decoder decoder, int context) {
        Logits logits = new Logits();
        long best = Long.MAX_VALUE;
        try (KvSequence sequence = decoder.cache().newSequence()) {
            decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[context], 1))), logits);
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                for (int i = 0; i < STEPS; i++) {
                    decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[1], 1))), logits);
                }
                best = Math.min(best, System.nanoTime() - start);
                sequence.truncate(context);
            }
        }
        return best / 1e9 / STEPS;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
