package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * Scores and weighted sums of one key/value head over {@value #BLOCKS} blocks of the cache, as decoding makes them for the query vectors that share the head, on one thread.
 * {@code docs/performance.md} has the command.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class AttentionBenchmark {
    private static final int BLOCKS = 32;

    @Param({"1", "2", "3", "4", "32"})
    private int queries;

    @Param({"64", "128"})
    private int width;

    @Param({"BF16", "F32", "INT8"})
    private KvType type;

    /** Blocks, of several heads, that are read one behind the other without a gap. */
    @Param({"1", "8"})
    private int together;

    /** How many heads' caches lie behind one another: one stays in the processor's cache, many do not. */
    @Param({"1", "512"})
    private int caches;

    private int next;
    private NativeMemory memory;
    private MemorySegment block;
    private AttentionKernels kernels;
    private AttentionKernels.Heads heads;
    private long blockBytes;

    /** Random queries, keys and values. */
    @Setup
    public void fill() {
        Random random = new Random(1);
        kernels = Backend.best().attention();
        memory = new NativeMemory();
        blockBytes = 2 * type.bytes(width);
        block = memory.allocate(blockBytes * BLOCKS * caches);
        for (long at = 0; at < block.byteSize(); at += 2) {
            block.set(ValueLayout.JAVA_SHORT, at, (short) (0x3b00 | random.nextInt(256)));
        }
        heads = new AttentionKernels.Heads();
        heads.queries = queries;
        heads.keyWidth = width;
        heads.valueWidth = width;
        heads.valuePadded = width;
        heads.scoreStride = BLOCKS * AttentionKernels.BLOCK;
        heads.scores = new float[queries * heads.scoreStride];
        heads.sums = new float[queries * width];
        heads.query = new float[queries * width];
        for (int i = 0; i < heads.query.length; i++) {
            heads.query[i] = (float) random.nextGaussian();
        }
        heads.sumQueries();
    }

    /** Gives the memory back. */
    @TearDown
    public void close() {
        memory.close();
    }

    /** Where the keys of a block lie among those of other heads, behind whose values the next block begins. */
    private long at(long start, int number) {
        long size = type.bytes(width);
        return start + number / together * 2L * together * size + number % together * size;
    }

    private long start() {
        next = next + 1 == caches ? 0 : next + 1;
        return next * BLOCKS * blockBytes;
    }

    /** Of all blocks. */
    @Benchmark
    public float[] scores() {
        long start = start();
        for (int b = 0; b < BLOCKS; b++) {
            kernels.scores(block, at(start, b), type, heads, b * AttentionKernels.BLOCK);
        }
        return heads.scores;
    }

    /** Of all blocks. */
    @Benchmark
    public float[] sums() {
        long start = start();
        for (int b = 0; b < BLOCKS; b++) {
            kernels.accumulate(block, at(start, b), type, heads, b * AttentionKernels.BLOCK);
        }
        return heads.sums;
    }
}
