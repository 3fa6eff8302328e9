package skulk.runner.mlx.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.runner.mlx.kernel.TileFormat.Kind;

/**
 * The vector kernels against their scalar twins, over odd sizes and extreme values. The build runs it as wide as the machine
 * is, and again in JVMs whose vectors are limited to 256 and 128 bits.
 */
class KernelTest {
    private static final Backend SCALAR = Backend.scalar();
    private static final Backend VECTOR = new VectorBackend();
    private final Random random = new Random(42);

    /** A run that is to try another width does. */
    @Test
    void vectorsAreAsWideAsThisRunIsToTry() {
        int limit = Integer.getInteger("skulk.test.vector", 512);
        assertTrue(Lanes.F.vectorBitSize() <= limit, VECTOR.describe());
        assertEquals(Math.min(limit, VectorShape.preferredShape().vectorBitSize()), Lanes.F.vectorBitSize());
    }

    static List<TileFormat> formats() {
        return List.of(
                TileFormat.plain(Kind.F32),
                TileFormat.plain(Kind.F16),
                TileFormat.plain(Kind.BF16),
                TileFormat.affine(2, 64, false),
                TileFormat.affine(3, 32, false),
                TileFormat.affine(3, 64, true),
                TileFormat.affine(4, 8, false),
                TileFormat.affine(4, 32, false),
                TileFormat.affine(4, 32, true),
                TileFormat.affine(4, 64, false),
                TileFormat.affine(4, 64, true),
                TileFormat.affine(5, 32, false),
                TileFormat.affine(6, 64, false),
                TileFormat.affine(8, 16, true),
                TileFormat.affine(8, 128, false),
                TileFormat.fp4(8),
                TileFormat.fp4(16),
                TileFormat.fp4(32),
                TileFormat.fp8(4),
                TileFormat.fp8(32));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void expandsToTheSameBits(TileFormat format) {
        TileMatrix matrix = matrix(37, format.group() * 3, format);
        float[] scalar = new float[matrix.cols() * 16];
        float[] vector = new float[matrix.cols() * 16];
        for (int tile = 0; tile < matrix.tiles(); tile++) {
            SCALAR.matrix().expand(matrix, tile, 0, matrix.cols(), scalar, 0);
            VECTOR.matrix().expand(matrix, tile, 0, matrix.cols(), vector, 0);
            assertArrayEquals(scalar, vector, format.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("formats")
    void productsDoNotDependOnRowsThreadsOrKernels(TileFormat format) {
        int cols = format.group() * Math.max(1, 192 / format.group());
        for (int rows : new int[] {1, 15, 16, 33, 130}) {
            TileMatrix matrix = matrix(rows, cols, format);
            float[] x = floats(9 * cols, 1);
            for (boolean fast : new boolean[] {false, true}) {
                float[] expected = product(SCALAR, matrix, x, 9, 1, fast);
                assertArrayEquals(expected, product(SCALAR, matrix, x, 1, 1, fast), "one by one");
                assertClose(expected, product(VECTOR, matrix, x, 9, 3, fast), 1e-5f);
                assertArrayEquals(
                        product(VECTOR, matrix, x, 9, 3, fast), product(VECTOR, matrix, x, 1, 1, fast), "one by one");
            }
        }
    }

    /** All rows, {@code step} at a time, surrounded by values that must not change. */
    private static float[] product(Backend backend, TileMatrix matrix, float[] x, int step, int threads, boolean fast) {
        int cols = matrix.cols();
        int count = x.length / cols;
        int stride = matrix.rows() + 3;
        float[] y = new float[count * stride];
        java.util.Arrays.fill(y, 77);
        try (WorkerPool pool = new WorkerPool(threads)) {
            Product product = new Product(backend, pool, fast);
            for (int row = 0; row < count; row += step) {
                product.run(List.of(new Product.Unit(matrix, x, row * cols, cols, step, y, row * stride + 1, stride)));
            }
        }
        for (int row = 0; row < count; row++) {
            assertEquals(77, y[row * stride]);
            assertEquals(77, y[row * stride + matrix.rows() + 1]);
        }
        return y;
    }

    @Test
    void roundedProductsStayNearExactOnes() {
        TileMatrix matrix = matrix(64, 2048, TileFormat.affine(4, 64, false));
        float[] x = floats(2048, 1);
        float[] exact = product(VECTOR, matrix, x, 1, 1, false);
        float[] rounded = product(VECTOR, matrix, x, 1, 1, true);
        double error = 0;
        double size = 0;
        for (int i = 1; i <= 64; i++) {
            error += Math.pow(exact[i] - rounded[i], 2);
            size += exact[i] * exact[i];
        }
        assertTrue(Math.sqrt(error / size) < 0.006, "relative error " + Math.sqrt(error / size));
    }

    /** Whole numbers whose magnitudes sum to what a lane may hold, so that nothing is rounded away. */
    @ParameterizedTest
    @ValueSource(ints = {32, 64})
    void integerLanesHoldTheLargestSums(int group) {
        TileMatrix matrix = matrix(16, 128, TileFormat.affine(4, group, true));
        centre(matrix);
        int perLane = group / 2;
        for (int code : new int[] {0x00000000, 0xffffffff, 0x0f0f0f0f, 0xf0f0f0f0, 0x88888888}) {
            fillCodes(matrix, code);
            for (float sign : new float[] {1, -1}) {
                float[] x = new float[128];
                for (int i = 0; i < x.length; i++) {
                    x[i] = sign * (i % group < 8 && i % 4 == 0 ? 4079 - 127 * (perLane - 1) : 127);
                }
                assertExact(matrix, x);
                for (int i = 0; i < x.length; i += 2) {
                    x[i] = -x[i];
                }
                assertExact(matrix, x);
                java.util.Arrays.fill(x, 0);
                x[1] = sign;
                x[group - 1] = -sign;
                assertExact(matrix, x);
            }
        }
    }

    private static void assertExact(TileMatrix matrix, float[] x) {
        float[] exact = product(SCALAR, matrix, x, 1, 1, false);
        float[] vector = product(VECTOR, matrix, x, 1, 1, true);
        assertArrayEquals(product(SCALAR, matrix, x, 1, 1, true), vector);
        double size = 0;
        for (float value : x) {
            size += 8 * Math.abs(value);
        }
        for (int i = 0; i < exact.length; i++) {
            // steps are floats; a lane that overflowed would be wrong by thirty times all there is to add up
            assertEquals(exact[i], vector[i], 2e-7 * size, "index " + i);
        }
    }

    /** Weights become code minus 8, so that sums of whole numbers are exact in floats. */
    private static void centre(TileMatrix matrix) {
        TileFormat format = matrix.format();
        for (long at = 0; at < matrix.data().byteSize(); at += format.groupBytes()) {
            for (int row = 0; row < TileFormat.ROWS; row++) {
                matrix.data().set(ScalarMatrix.FLOAT, at + row * 4L, 1);
                matrix.data().set(ScalarMatrix.FLOAT, at + (TileFormat.ROWS + row) * 4L, -8);
            }
        }
    }

    @Test
    void roundsExtremeActivations() {
        TileMatrix matrix = matrix(16, 64, TileFormat.affine(4, 64, true));
        for (float size : new float[] {0, 1e-38f, Float.MIN_VALUE, 1e-20f, 1e20f}) {
            float[] x = floats(64, size);
            float[] y = product(VECTOR, matrix, x, 1, 1, true);
            for (int i = 1; i <= 16; i++) {
                assertTrue(Float.isFinite(y[i]), size + " gives " + y[i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 16, 31, 64, 129, 576})
    void normsAndSums(int length) {
        float[] x = floats(length + 2, 3);
        float[] weight = floats(length, 1);
        float[] scalar = new float[length];
        float[] vector = new float[length];
        SCALAR.rows().rmsNorm(x, 2, length, weight, 1e-5, scalar, 0);
        VECTOR.rows().rmsNorm(x, 2, length, weight, 1e-5, vector, 0);
        assertClose(scalar, vector, 1e-6f);
        SCALAR.rows().addScaled(scalar, 0, x, 1, length, 0.3f);
        VECTOR.rows().addScaled(vector, 0, x, 1, length, 0.3f);
        assertClose(scalar, vector, 1e-6f);
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void gates(Activation activation) {
        float[] extremes = {0, -0f, 1e-30f, -1e-30f, 88, -88, 200, -200, 1e30f, -1e30f, 7, -7, 6.99f, 7.01f};
        float[] gate = floats(61, 4);
        System.arraycopy(extremes, 0, gate, 3, extremes.length);
        float[] up = floats(61, 2);
        float[] vector = gate.clone();
        SCALAR.rows().gate(activation, gate, 1, up, 0, 60);
        VECTOR.rows().gate(activation, vector, 1, up, 0, 60);
        assertClose(gate, vector, 2e-6f);
    }

    @Test
    void weightsOfScores() {
        float[] scalar = floats(48, 30);
        scalar[5] = Float.NEGATIVE_INFINITY;
        scalar[6] = -500;
        scalar[7] = 60;
        float[] vector = scalar.clone();
        float sum = SCALAR.rows().expInto(scalar, 0, 48, 60);
        assertEquals(sum, VECTOR.rows().expInto(vector, 0, 48, 60), 1e-5f * sum);
        assertClose(scalar, vector, 1e-6f);
        assertEquals(0, vector[5]);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 16, 20, 64})
    void rotates(int half) {
        float[] table = floats(2 * half, 1);
        float[] scalar = floats(2 * half + 1, 1);
        float[] vector = scalar.clone();
        SCALAR.rows().rotate(scalar, 1, half, table, 0);
        VECTOR.rows().rotate(vector, 1, half, table, 0);
        assertClose(scalar, vector, 1e-6f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 9})
    void attends(int queries) {
        for (KvType type : KvType.values()) {
            for (int width : new int[] {8, 24, 64, 80, 128, 144}) {
                AttentionKernels.Heads scalar = heads(queries, width);
                AttentionKernels.Heads vector = heads(queries, width);
                vector.query = scalar.query;
                scalar.sumQueries();
                vector.sumQueries();
                MemorySegment block = Arena.ofAuto().allocate(type.bytes(width) + type.bytes(scalar.valuePadded), 64);
                long values = type.bytes(width);
                for (int p = 0; p < 16; p++) {
                    VECTOR.attention().storeKey(block, 0, type, p, floats(width, 1), 0, width);
                    VECTOR.attention().storeValue(block, values, type, p, floats(width, 1), 0, width);
                }
                SCALAR.attention().scores(block, 0, type, scalar, 16);
                VECTOR.attention().scores(block, 0, type, vector, 16);
                assertClose(scalar.scores, vector.scores, 1e-6f);
                SCALAR.attention().accumulate(block, values, type, scalar, 16);
                VECTOR.attention().accumulate(block, values, type, vector, 16);
                assertClose(scalar.sums, vector.sums, 1e-5f);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void bytesOfKeysAndValuesAreNearTheNumbers(int queries) {
        for (int width : new int[] {24, 64, 144}) {
            AttentionKernels.Heads exact = heads(queries, width);
            AttentionKernels.Heads small = heads(queries, width);
            small.query = exact.query;
            small.sumQueries();
            MemorySegment floats = Arena.ofAuto().allocate(KvType.F32.bytes(width), 64);
            MemorySegment bytes = Arena.ofAuto().allocate(KvType.INT8.bytes(width), 64);
            for (int p = 0; p < 16; p++) {
                float[] key = floats(width, 3);
                if (p == 7) {
                    java.util.Arrays.fill(key, -2.5f); // all alike: no scale
                }
                VECTOR.attention().storeKey(floats, 0, KvType.F32, p, key, 0, width);
                VECTOR.attention().storeKey(bytes, 0, KvType.INT8, p, key, 0, width);
            }
            VECTOR.attention().scores(floats, 0, KvType.F32, exact, 16);
            VECTOR.attention().scores(bytes, 0, KvType.INT8, small, 16);
            for (int i = 0; i < exact.scores.length; i++) {
                // a step is a 255th of the range of about six deviations; its error is even within half a step
                assertEquals(exact.scores[i], small.scores[i], 0.03 * 3 * Math.sqrt(width));
            }
            assertEquals(exact.scores[16 + 7], small.scores[16 + 7], 1e-3);
        }
    }

    private AttentionKernels.Heads heads(int queries, int width) {
        AttentionKernels.Heads heads = new AttentionKernels.Heads();
        heads.queries = queries;
        heads.keyWidth = width;
        heads.valueWidth = width;
        heads.valuePadded = (width + 15) / 16 * 16;
        heads.scoreStride = 32;
        heads.query = floats(queries * width, 1);
        heads.scores = new float[queries * 32];
        heads.sums = new float[queries * heads.valuePadded];
        return heads;
    }

    private TileMatrix matrix(int rows, int cols, TileFormat format) {
        MemorySegment data = Arena.ofAuto().allocate(TileMatrix.bytes(rows, cols, format), 64);
        for (long i = 0; i < data.byteSize(); i += 4) {
            data.set(ScalarMatrix.INT, i, random.nextInt());
        }
        TileMatrix matrix = new TileMatrix(rows, cols, format, data);
        for (int tile = 0; tile < data.byteSize() / matrix.tileBytes(); tile++) {
            for (int g = 0; g < cols / format.group(); g++) {
                long at = tile * matrix.tileBytes() + g * format.groupBytes();
                int head = format.quantised() ? format.groupHead() : 16 * format.bits() / 8;
                putSmall(data, at, head, format);
            }
        }
        return matrix;
    }

    private void putSmall(MemorySegment data, long at, int bytes, TileFormat format) {
        int size = format.kind() == Kind.F32 || format.wideScales() ? 4 : 2;
        for (int i = 0; i < bytes; i += size) {
            float value = (random.nextFloat() - 0.5f) / 8;
            if (size == 4) {
                data.set(ScalarMatrix.FLOAT, at + i, value);
            } else if (format.kind() == Kind.F16) {
                data.set(ScalarMatrix.SHORT, at + i, Float.floatToFloat16(i % 6 == 0 ? value * 1e-4f : value));
            } else {
                data.set(ScalarMatrix.SHORT, at + i, ScalarAttention.toBf16(value));
            }
        }
    }

    private static void fillCodes(TileMatrix matrix, int code) {
        TileFormat format = matrix.format();
        for (long at = 0; at < matrix.data().byteSize(); at += format.groupBytes()) {
            for (long i = format.groupHead(); i < format.groupBytes(); i += 4) {
                matrix.data().set(ScalarMatrix.INT, at + i, code);
            }
        }
    }

    private float[] floats(int count, float size) {
        float[] out = new float[count];
        for (int i = 0; i < count; i++) {
            out[i] = (float) random.nextGaussian() * size;
        }
        return out;
    }

    private static void assertClose(float[] expected, float[] actual, float relative) {
        double size = 0;
        for (float value : expected) {
            size = Float.isFinite(value) ? Math.max(size, Math.min(Math.abs(value), 100)) : size;
        }
        for (int i = 0; i < expected.length; i++) {
            double tolerance = relative * Math.max(size, Math.abs(expected[i]));
            assertEquals(expected[i], actual[i], Math.max(tolerance, Float.MIN_NORMAL), "index " + i);
        }
    }
}
