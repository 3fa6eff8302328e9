package skulk.runner.mlx.model;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import skulk.api.cluster.EngineSpeed;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Measures the engine on this machine. Steps of a model with small layers and of one with large layers give what a weight takes and what a layer takes beside its
 * weights, for one row and for many; steps behind few tokens and behind many give what attention takes. Other formats of weights are compared with that of the models
 * by their products alone. The best of a few tries, so that a moment's other load does not count. Takes about twenty seconds, most of them for compiling.
 */
public final class EngineProbe {
    private static final int COLS = 2048;
    /** Beyond the caches of most processors. */
    private static final long BYTES = 64L << 20;

    private static final int MANY_ROWS = 32;
    private static final int MANY_OUTPUTS = 4096;
    private static final int TRIES = 9;
    private static final int GROUP = 64;

    /** Its layers are small, all of them together beyond the caches as well. */
    private static final String SMALL = "probe-small";

    private static final String LARGE = "probe-large";
    private static final int SHORT = 16;
    private static final int LONG = 1040;
    private static final int STEPS = 4;
    private static final int LEAST_ROUNDS = 4;
    private static final double LEAST_SECONDS = 1e-9;
    private static final long ENOUGH_NANOS = 250_000_000;

    private EngineProbe() {}

    /** Multiply-adds per second of bare products, with one row and with many. */
    private record Products(double one, double many) {}

    /**
     * Seconds of a step.
     *
     * @param layer of weights, all of the model's by its layers
     * @param little a token behind few others, by layers
     * @param lot a token behind many others, by layers
     * @param many rows behind few others, by layers
     */
    private record Steps(double layer, double width, double little, double lot, double many) {
        /** The faster of two measurements of the same shape. */
        Steps best(Steps other) {
            return new Steps(
                    layer, width, Math.min(little, other.little), Math.min(lot, other.lot), Math.min(many, other.many));
        }
    }

    /**
     * Measures.
     *
     * @param threads that compute
     * @throws IOException where the models cannot be written to the temporary folder
     */
    public static EngineSpeed measure(int threads) throws IOException {
        Steps firstSmall = steps(SMALL, threads);
        Steps firstLarge = steps(LARGE, threads);
        // what a machine did beside one of them for a second must not become a cost of layers
        Steps small = steps(SMALL, threads).best(firstSmall);
        Steps large = steps(LARGE, threads).best(firstLarge);
        try (WorkerPool pool = new WorkerPool(threads)) {
            Ops rounded = new Ops(Backend.best(), pool, Collectives.alone(), true);
            Ops exact = new Ops(Backend.best(), pool, Collectives.alone(), false);
            TileFormat affine4 = TileFormat.affine(4, GROUP, false);
            Products four = products(rounded, affine4);
            double rate = rate(small, large, four);
            double promptRate = Math.min(four.many, MANY_ROWS * large.layer / large.many);
            double one = rate / four.one;
            double many = promptRate / four.many;
            List<EngineSpeed.Format> formats = List.of(
                    new EngineSpeed.Format(4, true, rate, promptRate),
                    format(4, false, products(exact, affine4), one, many),
                    format(8, true, products(exact, TileFormat.affine(8, GROUP, false)), one, many),
                    format(16, true, products(exact, TileFormat.plain(TileFormat.Kind.BF16)), one, many));
            double layer = Math.min(small.little - small.layer / rate, large.little - large.layer / rate);
            double attended = 2 * large.width * (LONG - SHORT);
            return new EngineSpeed(
                    formats, Math.max(0, layer), attended / Math.max(LEAST_SECONDS, large.lot - large.little));
        }
    }

    /** What two sizes of layers say; other work beside one of them must not make more of it than bare products reach, nor less than half. */
    private static double rate(Steps small, Steps large, Products bare) {
        double difference = large.little - small.little;
        double rate = difference > 0 ? (large.layer - small.layer) / difference : bare.one;
        return Math.clamp(rate, bare.one / 2, bare.one);
    }

    private static EngineSpeed.Format format(int bits, boolean dense, Products products, double one, double many) {
        return new EngineSpeed.Format(bits, dense, products.one * one, products.many * many);
    }

    private static Products products(Ops ops, TileFormat format) {
        Warmup.matrices(ops, Set.of(format));
        int outputs = (int) (BYTES / (format.tileBytes(COLS) / TileFormat.ROWS)) / TileFormat.ROWS * TileFormat.ROWS;
        try (NativeMemory memory = new NativeMemory()) {
            double one = (double) outputs * COLS / seconds(ops, matrix(memory, format, outputs), 1);
            double many = (double) MANY_OUTPUTS
                    * COLS
                    * MANY_ROWS
                    / seconds(ops, matrix(memory, format, MANY_OUTPUTS), MANY_ROWS);
            return new Products(one, many);
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

    private static Steps steps(String shape, int threads) throws IOException {
        LoadOptions options = LoadOptions.defaults()
                .withThreads(threads)
                .withKernels(LoadOptions.Kernels.FAST)
                .withKv(LoadOptions.KvFormat.BF16)
                .withLimits(new LoadOptions.Limits(Long.MAX_VALUE, 64L << 20, 4096));
        try (SyntheticCheckpoint.Temporary model = SyntheticCheckpoint.temporary(shape, 4, GROUP);
                Decoder decoder = DecoderLoader.load(model.folder(), options)) {
            double layers = decoder.spec().layers();
            return new Steps(
                    SyntheticCheckpoint.products(shape) / layers,
                    decoder.spec().hidden(),
                    step(decoder, SHORT, 1) / layers,
                    step(decoder, LONG, 1) / layers,
                    step(decoder, SHORT, MANY_ROWS) / layers);
        }
    }

    /** Seconds of a step of some tokens behind so many others. */
    private static double step(Decoder decoder, int context, int rows) {
        Logits logits = new Logits();
        long best = Long.MAX_VALUE;
        try (KvSequence sequence = decoder.cache().newSequence()) {
            decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[context], 1))), logits);
            long end = System.nanoTime() + ENOUGH_NANOS;
            for (int round = 0; round < LEAST_ROUNDS || System.nanoTime() < end; round++) {
                long start = System.nanoTime();
                for (int i = 0; i < STEPS; i++) {
                    decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[rows], 1))), logits);
                }
                best = Math.min(best, System.nanoTime() - start);
                sequence.truncate(context);
            }
        }
        return best / 1e9 / STEPS;
    }
}
