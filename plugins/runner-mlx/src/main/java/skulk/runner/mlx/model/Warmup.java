package skulk.runner.mlx.model;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.Product;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.WorkerPool;

/**
 * Lets the JIT compile the kernels before the first request: interpreted, they are five hundred times slower, so the
 * first token of a large model would take half a minute.
 */
final class Warmup {
    private static final System.Logger LOG = System.getLogger(Warmup.class.getName());
    private static final int ROWS = 64;
    private static final int COLS = 128;
    private static final int ROUND = 200;
    private static final int SETTLED = 3;
    private static final long MATRIX_NANOS = 3_000_000_000L;
    private static final long STEP_NANOS = 1_500_000_000L;
    private static final int STEPS = 24;
    private static final int PROMPT = 17;

    private Warmup() {}

    /**
     * Begins with the matrix kernels on a thread of its own while weights are still read and packed: the compiler takes
     * as long as that.
     *
     * @param format of most matrices; empty for nothing to do
     * @param fast with rounded activations, as far as can be told yet
     */
    static Early early(Backend backend, Optional<TileFormat> format, boolean fast) {
        return new Early(backend, format.map(Set::of).orElse(Set.of()), fast);
    }

    /** A warm-up that ends when it is done or closed. */
    static final class Early implements AutoCloseable {
        private final Thread thread;
        private volatile boolean stopped;

        private Early(Backend backend, Set<TileFormat> formats, boolean fast) {
            thread = Thread.ofPlatform().daemon().name("mlx-warm-up").unstarted(() -> {
                try (WorkerPool alone = new WorkerPool(1)) {
                    matrices(new Ops(backend, alone, new Alone(), fast), formats, () -> stopped);
                }
            });
            if (!formats.isEmpty()) {
                thread.start();
            }
        }

        @Override
        public void close() {
            stopped = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Multiplies tiny matrices of the formats in use until the time per call settles. */
    static void matrices(Ops ops, Set<TileFormat> formats) {
        matrices(ops, formats, () -> false);
    }

    private static void matrices(Ops ops, Set<TileFormat> formats, BooleanSupplier stopped) {
        long start = System.nanoTime();
        try (NativeMemory memory = new NativeMemory()) {
            List<Product.Unit> one = new ArrayList<>();
            List<Product.Unit> many = new ArrayList<>();
            for (TileFormat format : formats) {
                TileMatrix matrix =
                        new TileMatrix(ROWS, COLS, format, memory.allocate(TileMatrix.bytes(ROWS, COLS, format)));
                one.add(new Product.Unit(matrix, new float[COLS], 0, COLS, 1, new float[ROWS], 0, ROWS));
                many.add(new Product.Unit(matrix, new float[5 * COLS], 0, COLS, 5, new float[5 * ROWS], 0, ROWS));
            }
            settle(
                    () -> {
                        ops.products(one);
                        ops.products(many);
                    },
                    stopped);
        }
        LOG.log(Level.DEBUG, "matrix kernels warm after {0} ms", (System.nanoTime() - start) / 1_000_000);
    }

    private static void settle(Runnable work, BooleanSupplier stopped) {
        long end = System.nanoTime() + MATRIX_NANOS;
        long best = Long.MAX_VALUE;
        int settled = 0;
        while (settled < SETTLED && System.nanoTime() < end) {
            long start = System.nanoTime();
            for (int i = 0; i < ROUND; i++) {
                if (stopped.getAsBoolean()) {
                    return;
                }
                work.run();
            }
            long took = System.nanoTime() - start;
            settled = took > best * 0.8 ? settled + 1 : 0;
            best = Math.min(best, took);
        }
    }

    /** Runs prompts and tokens through a decoder that waits for no other rank, until their time settles. */
    static void steps(Decoder decoder) {
        long best = Long.MAX_VALUE;
        int settled = 0;
        long end = System.nanoTime() + STEP_NANOS;
        Logits logits = new Logits();
        int prompt = Math.min(PROMPT, decoder.spec().maxContext() / 2);
        for (int i = 0; i < STEPS && settled < SETTLED && System.nanoTime() < end; i++) {
            long start = System.nanoTime();
            if (decoder.cache().freeBlocks() < 4 || prompt < 1) {
                return;
            }
            try (KvSequence sequence = decoder.cache().newSequence()) {
                decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[prompt], 1))), logits);
                for (int t = 0; t < 4 && sequence.length() < decoder.spec().maxContext(); t++) {
                    decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[1], 1))), logits);
                }
            }
            long took = System.nanoTime() - start;
            settled = took > best * 0.9 ? settled + 1 : 0;
            best = Math.min(best, took);
        }
    }
}
