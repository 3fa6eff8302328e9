package skulk.runner.mlx.model;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileMatrix;

/**
 * How fast this rank's threads go through weights that no cache holds; what forecasts of other models on this machine are made of. The best of a few tries, so that
 * a moment's other load does not count.
 *
 * @param bytesPerSecond of weights times one row, as in decoding
 * @param productsPerSecond multiply-adds with many rows, as in reading a prompt
 */
record KernelSpeed(double bytesPerSecond, double productsPerSecond) {
    private static final int COLS = 2048;
    /** Beyond the caches of most processors. */
    private static final long BYTES = 64L << 20;

    private static final int PROMPT_ROWS = 64;
    private static final int PROMPT_OUTPUTS = 4096;
    private static final int TRIES = 5;

    /** Measures the format that most weights are likely to have; takes about a quarter of a second. */
    static KernelSpeed measure(Ops ops, Set<TileFormat> formats) {
        TileFormat format = formats.stream()
                .filter(f -> COLS % f.group() == 0)
                .min(Comparator.comparingLong(f -> f.tileBytes(COLS)))
                .orElseThrow();
        int rows = (int) (BYTES / (format.tileBytes(COLS) / TileFormat.ROWS));
        try (NativeMemory memory = new NativeMemory()) {
            double bytes = BYTES / seconds(ops, matrix(memory, format, rows), 1);
            double products = (double) PROMPT_OUTPUTS
                    * COLS
                    * PROMPT_ROWS
                    / seconds(ops, matrix(memory, format, PROMPT_OUTPUTS), PROMPT_ROWS);
            return new KernelSpeed(bytes, products);
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
}
