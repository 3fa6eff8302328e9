package skulk.runner.mlx.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.HALF;
import static skulk.runner.mlx.kernel.Lanes.I;
import static skulk.runner.mlx.kernel.Lanes.N;
import static skulk.runner.mlx.kernel.Lanes.S;
import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * {@link IntKernels} in 16-bit lanes: multiply and add of two columns of 16 rows per instruction. Shift counts are
 * vectors because the JIT remakes a scalar count for every use. Flat and repetitive on purpose, see
 * {@link VectorMatrix}; the forms differ in the format of scales and the number of tiles and rows.
 */
final class VectorInt implements IntKernels {
    private static final ShortVector SHIFT4 = ShortVector.broadcast(S, 4);
    private static final ShortVector SHIFT8 = ShortVector.broadcast(S, 8);
    private static final ShortVector SHIFT12 = ShortVector.broadcast(S, 12);

    /** 1.5 * 2^23: adding and subtracting it rounds to the nearest integer, ties to even. */
    private static final float ROUND = 12582912f;

    @Override
    public void round(float[] x, int xAt, IntActivations out, int row) {
        int[] q = new int[out.group()];
        for (int g = 0; g < out.cols() / out.group(); g++) {
            int at = xAt + g * q.length;
            float max = max(x, at, q.length);
            float inverse = max < IntActivations.TINY ? 0 : IntActivations.MAX / max;
            float sum = round(x, at, inverse, q);
            ScalarInt.put(out, row, g, q, max / IntActivations.MAX, sum);
        }
    }

    private static float max(float[] x, int at, int count) {
        FloatVector max = FloatVector.zero(F);
        for (int i = 0; i < count; i += N) {
            max = max.max(FloatVector.fromArray(F, x, at + i).abs());
        }
        return max.reduceLanes(jdk.incubator.vector.VectorOperators.MAX);
    }

    /** Rounds into {@code q}; the result is the sum of the unrounded values, in the order of lanes. */
    private static float round(float[] x, int at, float inverse, int[] q) {
        FloatVector sum = FloatVector.zero(F);
        for (int i = 0; i < q.length; i += N) {
            FloatVector v = FloatVector.fromArray(F, x, at + i);
            sum = sum.add(v);
            FloatVector rounded = v.mul(inverse).add(ROUND).sub(ROUND);
            ((IntVector) rounded.convert(jdk.incubator.vector.VectorOperators.F2I, 0)).intoArray(q, i);
        }
        float[] lanes = sum.toArray();
        float total = 0;
        for (float lane : lanes) {
            total += lane;
        }
        return total;
    }

    @Override
    public void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt) {
        long at = tile * matrix.tileBytes();
        for (int lane = 0; lane < ROWS; lane += N) {
            if (matrix.format().wideScales()) {
                oneWide(matrix.data(), at, lane, x, row, y, yAt + lane);
            } else {
                one(matrix.data(), at, lane, x, row, y, yAt + lane);
            }
        }
    }

    @Override
    public void multiply4(TileMatrix matrix, int tile, IntActivations x, int row, Output y) {
        long bytes = matrix.tileBytes();
        for (int lane = 0; lane < ROWS; lane += N) {
            if (matrix.format().wideScales()) {
                fourWide(matrix.data(), tile * bytes, bytes, lane, x, row, y);
            } else {
                four(matrix.data(), tile * bytes, bytes, lane, x, row, y);
            }
        }
    }

    private static void one(MemorySegment data, long at, int lane, IntActivations x, int row, float[] y, int yAt) {
        int[] pairs = x.pairs;
        int[] starts = x.starts;
        float[] factors = x.factors;
        int pair = x.pairsAt(row);
        int start = x.startsAt(row);
        int factor = x.factorsAt(row);
        int words = x.group() / 8;
        int end = start + x.cols() / x.group();
        long group = at;
        long step = 64 + words * 64L;
        FloatVector sum = FloatVector.zero(F);
        for (; start != end; start++) {
            ShortVector d = IntVector.broadcast(I, starts[start]).reinterpretAsShorts();
            ShortVector e = ShortVector.zero(S);
            long word = group + 64 + lane * 4L;
            for (int stop = pair + words * 4; pair != stop; pair += 16) {
                ShortVector v0 = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                d = d.add(v0.mul(IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts()));
                d = d.add(v0.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts()));
                ShortVector v1 = ShortVector.fromMemorySegment(S, data, word + 64, LITTLE_ENDIAN);
                d = d.add(v1.mul(IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts()));
                d = d.add(v1.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts()));
                ShortVector v2 = ShortVector.fromMemorySegment(S, data, word + 128, LITTLE_ENDIAN);
                d = d.add(v2.mul(IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts()));
                d = d.add(v2.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts()));
                ShortVector v3 = ShortVector.fromMemorySegment(S, data, word + 192, LITTLE_ENDIAN);
                d = d.add(v3.mul(IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts()));
                d = d.add(v3.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts()));
                word += 256;
            }
            IntVector both = d.add(e).reinterpretAsInts();
            IntVector n = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
            FloatVector scale = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector bias = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + 32 + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            sum = bias.fma(FloatVector.broadcast(F, factors[factor + 2]), sum);
            FloatVector codes = ((FloatVector) n.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, factors[factor]), FloatVector.broadcast(F, factors[factor + 1]));
            sum = scale.fma(codes, sum);
            group += step;
            factor += 3;
        }
        sum.intoArray(y, yAt);
    }

    private static void oneWide(MemorySegment data, long at, int lane, IntActivations x, int row, float[] y, int yAt) {
        int[] pairs = x.pairs;
        int[] starts = x.starts;
        float[] factors = x.factors;
        int pair = x.pairsAt(row);
        int start = x.startsAt(row);
        int factor = x.factorsAt(row);
        int words = x.group() / 8;
        int end = start + x.cols() / x.group();
        long group = at;
        long step = 128 + words * 64L;
        FloatVector sum = FloatVector.zero(F);
        for (; start != end; start++) {
            ShortVector d = IntVector.broadcast(I, starts[start]).reinterpretAsShorts();
            ShortVector e = ShortVector.zero(S);
            long word = group + 128 + lane * 4L;
            for (int stop = pair + words * 4; pair != stop; pair += 16) {
                ShortVector v0 = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                d = d.add(v0.mul(IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts()));
                d = d.add(v0.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts()));
                ShortVector v1 = ShortVector.fromMemorySegment(S, data, word + 64, LITTLE_ENDIAN);
                d = d.add(v1.mul(IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts()));
                d = d.add(v1.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts()));
                ShortVector v2 = ShortVector.fromMemorySegment(S, data, word + 128, LITTLE_ENDIAN);
                d = d.add(v2.mul(IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts()));
                d = d.add(v2.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts()));
                ShortVector v3 = ShortVector.fromMemorySegment(S, data, word + 192, LITTLE_ENDIAN);
                d = d.add(v3.mul(IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT4).mul(IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts()));
                d = d.add(v3.lanewise(LSHR, SHIFT8).mul(IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT12).mul(IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts()));
                word += 256;
            }
            IntVector both = d.add(e).reinterpretAsInts();
            IntVector n = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
            FloatVector scale = FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN);
            FloatVector bias = FloatVector.fromMemorySegment(F, data, group + 64 + lane * 4L, LITTLE_ENDIAN);
            sum = bias.fma(FloatVector.broadcast(F, factors[factor + 2]), sum);
            FloatVector codes = ((FloatVector) n.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, factors[factor]), FloatVector.broadcast(F, factors[factor + 1]));
            sum = scale.fma(codes, sum);
            group += step;
            factor += 3;
        }
        sum.intoArray(y, yAt);
    }

    private static void four(MemorySegment data, long at, long tile, int lane, IntActivations x, int row, Output out) {
        int[] pairs = x.pairs;
        int[] starts = x.starts;
        float[] factors = x.factors;
        int pair = x.pairsAt(row);
        int start = x.startsAt(row);
        int factor = x.factorsAt(row);
        int words = x.group() / 8;
        int end = start + 4 * (x.cols() / x.group());
        long group = at;
        long step = 64 + words * 64L;
        FloatVector y00 = FloatVector.zero(F);
        FloatVector y01 = FloatVector.zero(F);
        FloatVector y02 = FloatVector.zero(F);
        FloatVector y03 = FloatVector.zero(F);
        FloatVector y10 = FloatVector.zero(F);
        FloatVector y11 = FloatVector.zero(F);
        FloatVector y12 = FloatVector.zero(F);
        FloatVector y13 = FloatVector.zero(F);
        for (; start != end; start += 4) {
            ShortVector d00 = IntVector.broadcast(I, starts[start]).reinterpretAsShorts();
            ShortVector d10 = d00;
            ShortVector d01 = IntVector.broadcast(I, starts[start + 1]).reinterpretAsShorts();
            ShortVector d11 = d01;
            ShortVector d02 = IntVector.broadcast(I, starts[start + 2]).reinterpretAsShorts();
            ShortVector d12 = d02;
            ShortVector d03 = IntVector.broadcast(I, starts[start + 3]).reinterpretAsShorts();
            ShortVector d13 = d03;
            long word = group + 64 + lane * 4L;
            for (int stop = pair + words * 16; pair != stop; pair += 16) {
                ShortVector v = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                ShortVector w = ShortVector.fromMemorySegment(S, data, word + tile, LITTLE_ENDIAN);
                ShortVector x00 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
                d00 = d00.add(v.mul(x00));
                d10 = d10.add(w.mul(x00));
                ShortVector x01 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
                d01 = d01.add(v.mul(x01));
                d11 = d11.add(w.mul(x01));
                ShortVector x02 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
                d02 = d02.add(v.mul(x02));
                d12 = d12.add(w.mul(x02));
                ShortVector x03 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
                d03 = d03.add(v.mul(x03));
                d13 = d13.add(w.mul(x03));
                ShortVector v1 = v.lanewise(LSHR, SHIFT4);
                ShortVector w1 = w.lanewise(LSHR, SHIFT4);
                ShortVector x10 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
                d00 = d00.add(v1.mul(x10));
                d10 = d10.add(w1.mul(x10));
                ShortVector x11 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
                d01 = d01.add(v1.mul(x11));
                d11 = d11.add(w1.mul(x11));
                ShortVector x12 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
                d02 = d02.add(v1.mul(x12));
                d12 = d12.add(w1.mul(x12));
                ShortVector x13 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
                d03 = d03.add(v1.mul(x13));
                d13 = d13.add(w1.mul(x13));
                ShortVector v2 = v.lanewise(LSHR, SHIFT8);
                ShortVector w2 = w.lanewise(LSHR, SHIFT8);
                ShortVector x20 = IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts();
                d00 = d00.add(v2.mul(x20));
                d10 = d10.add(w2.mul(x20));
                ShortVector x21 = IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts();
                d01 = d01.add(v2.mul(x21));
                d11 = d11.add(w2.mul(x21));
                ShortVector x22 = IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts();
                d02 = d02.add(v2.mul(x22));
                d12 = d12.add(w2.mul(x22));
                ShortVector x23 = IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts();
                d03 = d03.add(v2.mul(x23));
                d13 = d13.add(w2.mul(x23));
                ShortVector v3 = v.lanewise(LSHR, SHIFT12);
                ShortVector w3 = w.lanewise(LSHR, SHIFT12);
                ShortVector x30 = IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts();
                d00 = d00.add(v3.mul(x30));
                d10 = d10.add(w3.mul(x30));
                ShortVector x31 = IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts();
                d01 = d01.add(v3.mul(x31));
                d11 = d11.add(w3.mul(x31));
                ShortVector x32 = IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts();
                d02 = d02.add(v3.mul(x32));
                d12 = d12.add(w3.mul(x32));
                ShortVector x33 = IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts();
                d03 = d03.add(v3.mul(x33));
                d13 = d13.add(w3.mul(x33));
                word += 64;
            }
            FloatVector scale0 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector bias0 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + 32 + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector scale1 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + tile + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector bias1 = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + tile + 32 + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector step0 = FloatVector.broadcast(F, factors[factor]);
            FloatVector eight0 = FloatVector.broadcast(F, factors[factor + 4]);
            FloatVector sum0 = FloatVector.broadcast(F, factors[factor + 8]);
            IntVector n00 = d00.reinterpretAsInts();
            n00 = n00.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n00.lanewise(ASHR, 16));
            y00 = bias0.fma(sum0, y00);
            y00 = scale0.fma(((FloatVector) n00.convert(I2F, 0)).fma(step0, eight0), y00);
            IntVector n10 = d10.reinterpretAsInts();
            n10 = n10.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n10.lanewise(ASHR, 16));
            y10 = bias1.fma(sum0, y10);
            y10 = scale1.fma(((FloatVector) n10.convert(I2F, 0)).fma(step0, eight0), y10);
            FloatVector step1 = FloatVector.broadcast(F, factors[factor + 1]);
            FloatVector eight1 = FloatVector.broadcast(F, factors[factor + 5]);
            FloatVector sum1 = FloatVector.broadcast(F, factors[factor + 9]);
            IntVector n01 = d01.reinterpretAsInts();
            n01 = n01.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n01.lanewise(ASHR, 16));
            y01 = bias0.fma(sum1, y01);
            y01 = scale0.fma(((FloatVector) n01.convert(I2F, 0)).fma(step1, eight1), y01);
            IntVector n11 = d11.reinterpretAsInts();
            n11 = n11.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n11.lanewise(ASHR, 16));
            y11 = bias1.fma(sum1, y11);
            y11 = scale1.fma(((FloatVector) n11.convert(I2F, 0)).fma(step1, eight1), y11);
            FloatVector step2 = FloatVector.broadcast(F, factors[factor + 2]);
            FloatVector eight2 = FloatVector.broadcast(F, factors[factor + 6]);
            FloatVector sum2 = FloatVector.broadcast(F, factors[factor + 10]);
            IntVector n02 = d02.reinterpretAsInts();
            n02 = n02.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n02.lanewise(ASHR, 16));
            y02 = bias0.fma(sum2, y02);
            y02 = scale0.fma(((FloatVector) n02.convert(I2F, 0)).fma(step2, eight2), y02);
            IntVector n12 = d12.reinterpretAsInts();
            n12 = n12.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n12.lanewise(ASHR, 16));
            y12 = bias1.fma(sum2, y12);
            y12 = scale1.fma(((FloatVector) n12.convert(I2F, 0)).fma(step2, eight2), y12);
            FloatVector step3 = FloatVector.broadcast(F, factors[factor + 3]);
            FloatVector eight3 = FloatVector.broadcast(F, factors[factor + 7]);
            FloatVector sum3 = FloatVector.broadcast(F, factors[factor + 11]);
            IntVector n03 = d03.reinterpretAsInts();
            n03 = n03.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n03.lanewise(ASHR, 16));
            y03 = bias0.fma(sum3, y03);
            y03 = scale0.fma(((FloatVector) n03.convert(I2F, 0)).fma(step3, eight3), y03);
            IntVector n13 = d13.reinterpretAsInts();
            n13 = n13.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n13.lanewise(ASHR, 16));
            y13 = bias1.fma(sum3, y13);
            y13 = scale1.fma(((FloatVector) n13.convert(I2F, 0)).fma(step3, eight3), y13);
            group += step;
            factor += 12;
        }
        float[] y = out.y();
        int yAt = out.yAt() + lane;
        y00.intoArray(y, yAt);
        y10.intoArray(y, yAt + ROWS);
        y01.intoArray(y, yAt + 1 * out.yStride());
        y11.intoArray(y, yAt + 1 * out.yStride() + ROWS);
        y02.intoArray(y, yAt + 2 * out.yStride());
        y12.intoArray(y, yAt + 2 * out.yStride() + ROWS);
        y03.intoArray(y, yAt + 3 * out.yStride());
        y13.intoArray(y, yAt + 3 * out.yStride() + ROWS);
    }

    private static void fourWide(MemorySegment data, long at, long tile, int lane, IntActivations x, int row, Output out) {
        int[] pairs = x.pairs;
        int[] starts = x.starts;
        float[] factors = x.factors;
        int pair = x.pairsAt(row);
        int start = x.startsAt(row);
        int factor = x.factorsAt(row);
        int words = x.group() / 8;
        int end = start + 4 * (x.cols() / x.group());
        long group = at;
        long step = 128 + words * 64L;
        FloatVector y00 = FloatVector.zero(F);
        FloatVector y01 = FloatVector.zero(F);
        FloatVector y02 = FloatVector.zero(F);
        FloatVector y03 = FloatVector.zero(F);
        FloatVector y10 = FloatVector.zero(F);
        FloatVector y11 = FloatVector.zero(F);
        FloatVector y12 = FloatVector.zero(F);
        FloatVector y13 = FloatVector.zero(F);
        for (; start != end; start += 4) {
            ShortVector d00 = IntVector.broadcast(I, starts[start]).reinterpretAsShorts();
            ShortVector d10 = d00;
            ShortVector d01 = IntVector.broadcast(I, starts[start + 1]).reinterpretAsShorts();
            ShortVector d11 = d01;
            ShortVector d02 = IntVector.broadcast(I, starts[start + 2]).reinterpretAsShorts();
            ShortVector d12 = d02;
            ShortVector d03 = IntVector.broadcast(I, starts[start + 3]).reinterpretAsShorts();
            ShortVector d13 = d03;
            long word = group + 128 + lane * 4L;
            for (int stop = pair + words * 16; pair != stop; pair += 16) {
                ShortVector v = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                ShortVector w = ShortVector.fromMemorySegment(S, data, word + tile, LITTLE_ENDIAN);
                ShortVector x00 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
                d00 = d00.add(v.mul(x00));
                d10 = d10.add(w.mul(x00));
                ShortVector x01 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
                d01 = d01.add(v.mul(x01));
                d11 = d11.add(w.mul(x01));
                ShortVector x02 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
                d02 = d02.add(v.mul(x02));
                d12 = d12.add(w.mul(x02));
                ShortVector x03 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
                d03 = d03.add(v.mul(x03));
                d13 = d13.add(w.mul(x03));
                ShortVector v1 = v.lanewise(LSHR, SHIFT4);
                ShortVector w1 = w.lanewise(LSHR, SHIFT4);
                ShortVector x10 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
                d00 = d00.add(v1.mul(x10));
                d10 = d10.add(w1.mul(x10));
                ShortVector x11 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
                d01 = d01.add(v1.mul(x11));
                d11 = d11.add(w1.mul(x11));
                ShortVector x12 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
                d02 = d02.add(v1.mul(x12));
                d12 = d12.add(w1.mul(x12));
                ShortVector x13 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
                d03 = d03.add(v1.mul(x13));
                d13 = d13.add(w1.mul(x13));
                ShortVector v2 = v.lanewise(LSHR, SHIFT8);
                ShortVector w2 = w.lanewise(LSHR, SHIFT8);
                ShortVector x20 = IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts();
                d00 = d00.add(v2.mul(x20));
                d10 = d10.add(w2.mul(x20));
                ShortVector x21 = IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts();
                d01 = d01.add(v2.mul(x21));
                d11 = d11.add(w2.mul(x21));
                ShortVector x22 = IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts();
                d02 = d02.add(v2.mul(x22));
                d12 = d12.add(w2.mul(x22));
                ShortVector x23 = IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts();
                d03 = d03.add(v2.mul(x23));
                d13 = d13.add(w2.mul(x23));
                ShortVector v3 = v.lanewise(LSHR, SHIFT12);
                ShortVector w3 = w.lanewise(LSHR, SHIFT12);
                ShortVector x30 = IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts();
                d00 = d00.add(v3.mul(x30));
                d10 = d10.add(w3.mul(x30));
                ShortVector x31 = IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts();
                d01 = d01.add(v3.mul(x31));
                d11 = d11.add(w3.mul(x31));
                ShortVector x32 = IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts();
                d02 = d02.add(v3.mul(x32));
                d12 = d12.add(w3.mul(x32));
                ShortVector x33 = IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts();
                d03 = d03.add(v3.mul(x33));
                d13 = d13.add(w3.mul(x33));
                word += 64;
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN);
            FloatVector bias0 = FloatVector.fromMemorySegment(F, data, group + 64 + lane * 4L, LITTLE_ENDIAN);
            FloatVector scale1 = FloatVector.fromMemorySegment(F, data, group + tile + lane * 4L, LITTLE_ENDIAN);
            FloatVector bias1 = FloatVector.fromMemorySegment(F, data, group + tile + 64 + lane * 4L, LITTLE_ENDIAN);
            FloatVector step0 = FloatVector.broadcast(F, factors[factor]);
            FloatVector eight0 = FloatVector.broadcast(F, factors[factor + 4]);
            FloatVector sum0 = FloatVector.broadcast(F, factors[factor + 8]);
            IntVector n00 = d00.reinterpretAsInts();
            n00 = n00.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n00.lanewise(ASHR, 16));
            y00 = bias0.fma(sum0, y00);
            y00 = scale0.fma(((FloatVector) n00.convert(I2F, 0)).fma(step0, eight0), y00);
            IntVector n10 = d10.reinterpretAsInts();
            n10 = n10.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n10.lanewise(ASHR, 16));
            y10 = bias1.fma(sum0, y10);
            y10 = scale1.fma(((FloatVector) n10.convert(I2F, 0)).fma(step0, eight0), y10);
            FloatVector step1 = FloatVector.broadcast(F, factors[factor + 1]);
            FloatVector eight1 = FloatVector.broadcast(F, factors[factor + 5]);
            FloatVector sum1 = FloatVector.broadcast(F, factors[factor + 9]);
            IntVector n01 = d01.reinterpretAsInts();
            n01 = n01.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n01.lanewise(ASHR, 16));
            y01 = bias0.fma(sum1, y01);
            y01 = scale0.fma(((FloatVector) n01.convert(I2F, 0)).fma(step1, eight1), y01);
            IntVector n11 = d11.reinterpretAsInts();
            n11 = n11.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n11.lanewise(ASHR, 16));
            y11 = bias1.fma(sum1, y11);
            y11 = scale1.fma(((FloatVector) n11.convert(I2F, 0)).fma(step1, eight1), y11);
            FloatVector step2 = FloatVector.broadcast(F, factors[factor + 2]);
            FloatVector eight2 = FloatVector.broadcast(F, factors[factor + 6]);
            FloatVector sum2 = FloatVector.broadcast(F, factors[factor + 10]);
            IntVector n02 = d02.reinterpretAsInts();
            n02 = n02.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n02.lanewise(ASHR, 16));
            y02 = bias0.fma(sum2, y02);
            y02 = scale0.fma(((FloatVector) n02.convert(I2F, 0)).fma(step2, eight2), y02);
            IntVector n12 = d12.reinterpretAsInts();
            n12 = n12.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n12.lanewise(ASHR, 16));
            y12 = bias1.fma(sum2, y12);
            y12 = scale1.fma(((FloatVector) n12.convert(I2F, 0)).fma(step2, eight2), y12);
            FloatVector step3 = FloatVector.broadcast(F, factors[factor + 3]);
            FloatVector eight3 = FloatVector.broadcast(F, factors[factor + 7]);
            FloatVector sum3 = FloatVector.broadcast(F, factors[factor + 11]);
            IntVector n03 = d03.reinterpretAsInts();
            n03 = n03.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n03.lanewise(ASHR, 16));
            y03 = bias0.fma(sum3, y03);
            y03 = scale0.fma(((FloatVector) n03.convert(I2F, 0)).fma(step3, eight3), y03);
            IntVector n13 = d13.reinterpretAsInts();
            n13 = n13.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n13.lanewise(ASHR, 16));
            y13 = bias1.fma(sum3, y13);
            y13 = scale1.fma(((FloatVector) n13.convert(I2F, 0)).fma(step3, eight3), y13);
            group += step;
            factor += 12;
        }
        float[] y = out.y();
        int yAt = out.yAt() + lane;
        y00.intoArray(y, yAt);
        y10.intoArray(y, yAt + ROWS);
        y01.intoArray(y, yAt + 1 * out.yStride());
        y11.intoArray(y, yAt + 1 * out.yStride() + ROWS);
        y02.intoArray(y, yAt + 2 * out.yStride());
        y12.intoArray(y, yAt + 2 * out.yStride() + ROWS);
        y03.intoArray(y, yAt + 3 * out.yStride());
        y13.intoArray(y, yAt + 3 * out.yStride() + ROWS);
    }
}
