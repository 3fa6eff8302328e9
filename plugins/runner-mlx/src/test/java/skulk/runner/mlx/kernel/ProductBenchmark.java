package skulk.runner.mlx.kernel;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Matrix products as decoding (1 row) and prompts (64 rows) make them, on one thread: multiply-adds per second beside
 * calls per second. {@code docs/performance.md} has the command.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProductBenchmark {
    /** Rows of weights, all of which are outputs. */
    private static final int OUTPUTS = 2048;

    @Param({"affine3", "affine4", "affine6", "affine8", "fp4", "fp8", "bf16", "f16"})
    private String weights;

    @Param({"1", "4", "64"})
    private int rows;

    @Param("2048")
    private int cols;

    /** Whether activations are rounded, where the weights allow it. */
    @Param({"true", "false"})
    private boolean fast;

    private NativeMemory memory;
    private WorkerPool pool;
    private Product product;
    private List<Product.Unit> units;

    /** Counts multiply-adds; JMH divides by the time. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        /** In thousand millions. */
        public double gigaMultiplyAdds;

        /** A new iteration. */
        @Setup(Level.Iteration)
        public void reset() {
            gigaMultiplyAdds = 0;
        }
    }

    /** Random weights and activations. */
    @Setup
    public void fill() {
        TileFormat format =
                switch (weights) {
                    case "affine3" -> TileFormat.affine(3, 64, false);
                    case "affine4" -> TileFormat.affine(4, 64, false);
                    case "affine6" -> TileFormat.affine(6, 64, false);
                    case "affine8" -> TileFormat.affine(8, 64, false);
                    case "fp4" -> TileFormat.fp4(32);
                    case "fp8" -> TileFormat.fp8(32);
                    case "bf16" -> TileFormat.plain(TileFormat.Kind.BF16);
                    case "f16" -> TileFormat.plain(TileFormat.Kind.F16);
                    default -> throw new IllegalArgumentException(weights);
                };
        Random random = new Random(1);
        memory = new NativeMemory();
        pool = new WorkerPool(1);
        product = new Product(Backend.best(), pool, fast);
        TileMatrix matrix =
                new TileMatrix(OUTPUTS, cols, format, memory.allocate(TileMatrix.bytes(OUTPUTS, cols, format)));
        for (long at = 0; at < matrix.data().byteSize(); at += 2) {
            // a little below one, whatever number or code it is taken for
            matrix.data().set(ValueLayout.JAVA_SHORT, at, (short) (0x3b00 | random.nextInt(256)));
        }
        float[] x = new float[rows * cols];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        units = List.of(new Product.Unit(matrix, x, 0, cols, rows, new float[rows * OUTPUTS], 0, OUTPUTS));
    }

    /** Gives the memory back. */
    @TearDown
    public void close() {
        pool.close();
        memory.close();
    }

    /** One product. */
    @Benchmark
    public float[] multiply(Work work) {
        product.run(units);
        work.gigaMultiplyAdds += 1e-9 * rows * cols * OUTPUTS;
        return units.getFirst().y();
    }
}
