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
import jdk.incubator.vector.VectorOperators;

/**
 * {@link IntKernels} in 16-bit lanes: multiply and add of two columns of 16 rows per instruction. Shift counts are
 * vectors because the JIT remakes a scalar count for every use. Flat and repetitive on purpose, see
 * {@link VectorMatrix}.
 */
final class VectorInt implements IntKernels {
    private static final ShortVector SHIFT4 = ShortVector.broadcast(S, 4);
    private static final ShortVector SHIFT8 = ShortVector.broadcast(S, 8);
    private static final ShortVector SHIFT12 = ShortVector.broadcast(S, 12);
    private static final FloatVector EIGHT = FloatVector.broadcast(F, 8);

    /** All bits but for the first column of each half of a word, which has none before it. */
    private static final IntVector NOT_FIRST =
            IntVector.fromArray(I, new int[] {0, -1, -1, -1, 0, -1, -1, -1, 0, -1, -1, -1, 0, -1, -1, -1}, 0);

    /** 1.5 * 2^23: adding and subtracting it rounds to the nearest integer, ties to even. */
    private static final float ROUND = 12582912f;

    @Override
    public void round(float[] x, int xAt, IntActivations out, int row) {
        int span = out.span();
        float[] sizes = new float[ROWS];
        float[] values = new float[ROWS];
        int[] q = new int[4 + span];
        int[] differences = new int[span + ROWS];
        int[] totals = new int[ROWS];
        for (int s = 0; s < out.cols() / span; s++) {
            int at = xAt + s * span;
            for (int lane = 0; lane < ROWS; lane += N) {
                FloatVector size = FloatVector.zero(F);
                FloatVector value = FloatVector.zero(F);
                for (int i = lane; i < span; i += ROWS) {
                    FloatVector v = FloatVector.fromArray(F, x, at + i);
                    size = size.add(v.abs());
                    value = value.add(v);
                }
                size.intoArray(sizes, lane);
                value.intoArray(values, lane);
            }
            float size = IntActivations.size(sizes);
            float inverse = IntActivations.inverse(size);
            for (int i = 0; i < span; i += N) {
                FloatVector rounded = FloatVector.fromArray(F, x, at + i)
                        .mul(inverse)
                        .add(ROUND)
                        .sub(ROUND);
                ((IntVector) rounded.convert(VectorOperators.F2I, 0)).intoArray(q, 4 + i);
            }
            int start = pack(q, differences, totals, span);
            out.place(row, s, differences, start, IntActivations.step(size), IntActivations.sum(values));
        }
    }

    /**
     * Differences and pairs as {@link IntActivations#put} has them, many columns at once.
     *
     * @param q rounded values from index 4 on
     * @param packed receives pairs; longer than the span by a vector
     * @return where lanes start
     */
    private static int pack(int[] q, int[] packed, int[] totals, int span) {
        for (int lane = 0; lane < ROWS; lane += N) {
            IntVector total = IntVector.zero(I);
            for (int i = lane; i < span; i += ROWS) {
                IntVector value = IntVector.fromArray(I, q, 4 + i);
                total = total.add(value);
                value.sub(IntVector.fromArray(I, q, 3 + i).lanewise(LSHL, 4).and(NOT_FIRST))
                        .intoArray(packed, i);
            }
            total.intoArray(totals, lane);
        }
        for (int i = 0; i < span; i += N) {
            IntVector.fromArray(I, packed, i)
                    .and(0xffff)
                    .or(IntVector.fromArray(I, packed, i + 4).lanewise(LSHL, 16))
                    .intoArray(packed, i);
        }
        int low = totals[0] + totals[1] + totals[2] + totals[3] + totals[8] + totals[9] + totals[10] + totals[11];
        int high = totals[4] + totals[5] + totals[6] + totals[7] + totals[12] + totals[13] + totals[14] + totals[15];
        return -8 * low & 0xffff | -8 * high << 16;
    }

    @Override
    public void scales(TileMatrix matrix, int tile, float[] out) {
        TileFormat format = matrix.format();
        boolean wide = format.wideScales();
        int at = 0;
        for (int g = 0; g < matrix.cols() / format.group(); g++) {
            for (int t = 0; t < 2; t++, at += 2 * ROWS) {
                long group = (tile + t) * matrix.tileBytes() + g * format.groupBytes();
                for (int lane = 0; lane < ROWS; lane += N) {
                    scale(matrix.data(), wide, group, lane, out, at + lane);
                }
            }
        }
    }

    private static void scale(MemorySegment data, boolean wide, long group, int lane, float[] out, int at) {
        FloatVector scale;
        FloatVector bias;
        if (wide) {
            scale = FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN);
            bias = FloatVector.fromMemorySegment(F, data, group + ROWS * 4L + lane * 4L, LITTLE_ENDIAN);
        } else {
            scale = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            bias = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + ROWS * 2L + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
        }
        scale.intoArray(out, at);
        EIGHT.fma(scale, bias).intoArray(out, at + ROWS);
    }

    @Override
    public void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt) {
        for (int lane = 0; lane < ROWS; lane += N) {
            if (matrix.format().wideScales()) {
                oneWide(matrix.data(), tile * matrix.tileBytes(), lane, x, row, new Target(y, yAt));
            } else {
                one(matrix.data(), tile * matrix.tileBytes(), lane, x, row, new Target(y, yAt));
            }
        }
    }

    @Override
    public void multiply4(TileMatrix matrix, int tile, float[] scales, IntActivations x, int row, Output y) {
        long bytes = matrix.tileBytes();
        int head = matrix.format().groupHead();
        for (int lane = 0; lane < ROWS; lane += N) {
            four(new Pair(matrix.data(), tile * bytes + head + lane * 4L, bytes, head, scales, lane), x, row, y);
        }
    }

    private record Target(float[] y, int at) {}

    /**
     * Two tiles.
     *
     * @param at first word of the first group of the first
     * @param next bytes to the second
     * @param head bytes between groups
     */
    private record Pair(MemorySegment data, long at, long next, int head, float[] scales, int lane) {}

    private static void one(MemorySegment data, long tile, int lane, IntActivations x, int row, Target out) {
        int[] pairs = x.pairs;
        int pair = x.pairsAt(row);
        int first = x.spansAt(row);
        int end = first + x.cols() / x.span();
        int pairsPerSpan = x.span() / 2;
        long group = tile;
        FloatVector sum = FloatVector.zero(F);
        for (int span = first; span != end; span++) {
            long word = group + 64 + lane * 4L;
            ShortVector d = IntVector.broadcast(I, x.starts[span]).reinterpretAsShorts();
            ShortVector e = ShortVector.zero(S);
            for (int last = pair + pairsPerSpan; pair != last; pair += 16) {
                ShortVector v0 = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                d = d.add(v0.mul(IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts()));
                d = d.add(v0.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts()));
                ShortVector v1 = ShortVector.fromMemorySegment(S, data, word + 64, LITTLE_ENDIAN);
                d = d.add(v1.mul(IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts()));
                d = d.add(v1.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts()));
                ShortVector v2 = ShortVector.fromMemorySegment(S, data, word + 128, LITTLE_ENDIAN);
                d = d.add(v2.mul(IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts()));
                d = d.add(v2.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts()));
                ShortVector v3 = ShortVector.fromMemorySegment(S, data, word + 192, LITTLE_ENDIAN);
                d = d.add(v3.mul(IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts()));
                d = d.add(v3.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts()));
                word += 256;
            }
            FloatVector scale = ((IntVector) ShortVector.fromMemorySegment(HALF, data, group + lane * 2L, LITTLE_ENDIAN)
                            .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            FloatVector bias = ((IntVector)
                            ShortVector.fromMemorySegment(HALF, data, group + 32 + lane * 2L, LITTLE_ENDIAN)
                                    .convertShape(ZERO_EXTEND_S2I, I, 0))
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats();
            IntVector both = d.add(e).reinterpretAsInts();
            IntVector n = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
            sum = EIGHT.fma(scale, bias).fma(FloatVector.broadcast(F, x.sums[span]), sum);
            sum = scale.fma(((FloatVector) n.convert(I2F, 0)).mul(x.steps[span]), sum);
            group = word - lane * 4L;
        }
        sum.intoArray(out.y, out.at + lane);
    }

    private static void oneWide(MemorySegment data, long tile, int lane, IntActivations x, int row, Target out) {
        int[] pairs = x.pairs;
        int pair = x.pairsAt(row);
        int first = x.spansAt(row);
        int end = first + x.cols() / x.span();
        int pairsPerSpan = x.span() / 2;
        long group = tile;
        FloatVector sum = FloatVector.zero(F);
        for (int span = first; span != end; span++) {
            long word = group + 128 + lane * 4L;
            ShortVector d = IntVector.broadcast(I, x.starts[span]).reinterpretAsShorts();
            ShortVector e = ShortVector.zero(S);
            for (int last = pair + pairsPerSpan; pair != last; pair += 16) {
                ShortVector v0 = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                d = d.add(v0.mul(IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts()));
                d = d.add(v0.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts()));
                e = e.add(v0.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts()));
                ShortVector v1 = ShortVector.fromMemorySegment(S, data, word + 64, LITTLE_ENDIAN);
                d = d.add(v1.mul(IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts()));
                d = d.add(v1.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts()));
                e = e.add(v1.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts()));
                ShortVector v2 = ShortVector.fromMemorySegment(S, data, word + 128, LITTLE_ENDIAN);
                d = d.add(v2.mul(IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts()));
                d = d.add(v2.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts()));
                e = e.add(v2.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts()));
                ShortVector v3 = ShortVector.fromMemorySegment(S, data, word + 192, LITTLE_ENDIAN);
                d = d.add(v3.mul(IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT4)
                        .mul(IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts()));
                d = d.add(v3.lanewise(LSHR, SHIFT8)
                        .mul(IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts()));
                e = e.add(v3.lanewise(LSHR, SHIFT12)
                        .mul(IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts()));
                word += 256;
            }
            FloatVector scale = FloatVector.fromMemorySegment(F, data, group + lane * 4L, LITTLE_ENDIAN);
            FloatVector bias = FloatVector.fromMemorySegment(F, data, group + 64 + lane * 4L, LITTLE_ENDIAN);
            IntVector both = d.add(e).reinterpretAsInts();
            IntVector n = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
            sum = EIGHT.fma(scale, bias).fma(FloatVector.broadcast(F, x.sums[span]), sum);
            sum = scale.fma(((FloatVector) n.convert(I2F, 0)).mul(x.steps[span]), sum);
            group = word - lane * 4L;
        }
        sum.intoArray(out.y, out.at + lane);
    }

    @SuppressWarnings("checkstyle:methodlength")
    private static void four(Pair w, IntActivations x, int row, Output out) {
        MemorySegment data = w.data;
        float[] scales = w.scales;
        int[] pairs = x.pairs;
        int pair = x.pairsAt(row);
        int first = x.spansAt(row);
        int end = first + 4 * (x.cols() / x.span());
        int pairsPerSpan = 2 * x.span();
        long word = w.at;
        int at = w.lane;
        FloatVector y00 = FloatVector.zero(F);
        FloatVector y01 = FloatVector.zero(F);
        FloatVector y02 = FloatVector.zero(F);
        FloatVector y03 = FloatVector.zero(F);
        FloatVector y10 = FloatVector.zero(F);
        FloatVector y11 = FloatVector.zero(F);
        FloatVector y12 = FloatVector.zero(F);
        FloatVector y13 = FloatVector.zero(F);
        for (int span = first; span != end; span += 4) {
            ShortVector d00 = IntVector.broadcast(I, x.starts[span]).reinterpretAsShorts();
            ShortVector d10 = d00;
            ShortVector d01 = IntVector.broadcast(I, x.starts[span + 1]).reinterpretAsShorts();
            ShortVector d11 = d01;
            ShortVector d02 = IntVector.broadcast(I, x.starts[span + 2]).reinterpretAsShorts();
            ShortVector d12 = d02;
            ShortVector d03 = IntVector.broadcast(I, x.starts[span + 3]).reinterpretAsShorts();
            ShortVector d13 = d03;
            for (int last = pair + pairsPerSpan; pair != last; pair += 16) {
                ShortVector v = ShortVector.fromMemorySegment(S, data, word, LITTLE_ENDIAN);
                ShortVector u = ShortVector.fromMemorySegment(S, data, word + w.next, LITTLE_ENDIAN);
                ShortVector x00 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
                d00 = d00.add(v.mul(x00));
                d10 = d10.add(u.mul(x00));
                ShortVector x01 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
                d01 = d01.add(v.mul(x01));
                d11 = d11.add(u.mul(x01));
                ShortVector x02 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
                d02 = d02.add(v.mul(x02));
                d12 = d12.add(u.mul(x02));
                ShortVector x03 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
                d03 = d03.add(v.mul(x03));
                d13 = d13.add(u.mul(x03));
                ShortVector v1 = v.lanewise(LSHR, SHIFT4);
                ShortVector u1 = u.lanewise(LSHR, SHIFT4);
                ShortVector x10 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
                d00 = d00.add(v1.mul(x10));
                d10 = d10.add(u1.mul(x10));
                ShortVector x11 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
                d01 = d01.add(v1.mul(x11));
                d11 = d11.add(u1.mul(x11));
                ShortVector x12 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
                d02 = d02.add(v1.mul(x12));
                d12 = d12.add(u1.mul(x12));
                ShortVector x13 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
                d03 = d03.add(v1.mul(x13));
                d13 = d13.add(u1.mul(x13));
                ShortVector v2 = v.lanewise(LSHR, SHIFT8);
                ShortVector u2 = u.lanewise(LSHR, SHIFT8);
                ShortVector x20 = IntVector.broadcast(I, pairs[pair + 8]).reinterpretAsShorts();
                d00 = d00.add(v2.mul(x20));
                d10 = d10.add(u2.mul(x20));
                ShortVector x21 = IntVector.broadcast(I, pairs[pair + 9]).reinterpretAsShorts();
                d01 = d01.add(v2.mul(x21));
                d11 = d11.add(u2.mul(x21));
                ShortVector x22 = IntVector.broadcast(I, pairs[pair + 10]).reinterpretAsShorts();
                d02 = d02.add(v2.mul(x22));
                d12 = d12.add(u2.mul(x22));
                ShortVector x23 = IntVector.broadcast(I, pairs[pair + 11]).reinterpretAsShorts();
                d03 = d03.add(v2.mul(x23));
                d13 = d13.add(u2.mul(x23));
                ShortVector v3 = v.lanewise(LSHR, SHIFT12);
                ShortVector u3 = u.lanewise(LSHR, SHIFT12);
                ShortVector x30 = IntVector.broadcast(I, pairs[pair + 12]).reinterpretAsShorts();
                d00 = d00.add(v3.mul(x30));
                d10 = d10.add(u3.mul(x30));
                ShortVector x31 = IntVector.broadcast(I, pairs[pair + 13]).reinterpretAsShorts();
                d01 = d01.add(v3.mul(x31));
                d11 = d11.add(u3.mul(x31));
                ShortVector x32 = IntVector.broadcast(I, pairs[pair + 14]).reinterpretAsShorts();
                d02 = d02.add(v3.mul(x32));
                d12 = d12.add(u3.mul(x32));
                ShortVector x33 = IntVector.broadcast(I, pairs[pair + 15]).reinterpretAsShorts();
                d03 = d03.add(v3.mul(x33));
                d13 = d13.add(u3.mul(x33));
                word += 64;
            }
            FloatVector scale0 = FloatVector.fromArray(F, scales, at);
            FloatVector scale1 = FloatVector.fromArray(F, scales, at + 2 * ROWS);
            FloatVector bias0 = FloatVector.fromArray(F, scales, at + ROWS);
            FloatVector bias1 = FloatVector.fromArray(F, scales, at + 3 * ROWS);
            FloatVector step0 = FloatVector.broadcast(F, x.steps[span]);
            FloatVector sum0 = FloatVector.broadcast(F, x.sums[span]);
            IntVector n00 = d00.reinterpretAsInts();
            n00 = n00.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n00.lanewise(ASHR, 16));
            y00 = bias0.fma(sum0, y00);
            y00 = scale0.fma(((FloatVector) n00.convert(I2F, 0)).mul(step0), y00);
            IntVector n10 = d10.reinterpretAsInts();
            n10 = n10.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n10.lanewise(ASHR, 16));
            y10 = bias1.fma(sum0, y10);
            y10 = scale1.fma(((FloatVector) n10.convert(I2F, 0)).mul(step0), y10);
            FloatVector step1 = FloatVector.broadcast(F, x.steps[span + 1]);
            FloatVector sum1 = FloatVector.broadcast(F, x.sums[span + 1]);
            IntVector n01 = d01.reinterpretAsInts();
            n01 = n01.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n01.lanewise(ASHR, 16));
            y01 = bias0.fma(sum1, y01);
            y01 = scale0.fma(((FloatVector) n01.convert(I2F, 0)).mul(step1), y01);
            IntVector n11 = d11.reinterpretAsInts();
            n11 = n11.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n11.lanewise(ASHR, 16));
            y11 = bias1.fma(sum1, y11);
            y11 = scale1.fma(((FloatVector) n11.convert(I2F, 0)).mul(step1), y11);
            FloatVector step2 = FloatVector.broadcast(F, x.steps[span + 2]);
            FloatVector sum2 = FloatVector.broadcast(F, x.sums[span + 2]);
            IntVector n02 = d02.reinterpretAsInts();
            n02 = n02.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n02.lanewise(ASHR, 16));
            y02 = bias0.fma(sum2, y02);
            y02 = scale0.fma(((FloatVector) n02.convert(I2F, 0)).mul(step2), y02);
            IntVector n12 = d12.reinterpretAsInts();
            n12 = n12.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n12.lanewise(ASHR, 16));
            y12 = bias1.fma(sum2, y12);
            y12 = scale1.fma(((FloatVector) n12.convert(I2F, 0)).mul(step2), y12);
            FloatVector step3 = FloatVector.broadcast(F, x.steps[span + 3]);
            FloatVector sum3 = FloatVector.broadcast(F, x.sums[span + 3]);
            IntVector n03 = d03.reinterpretAsInts();
            n03 = n03.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n03.lanewise(ASHR, 16));
            y03 = bias0.fma(sum3, y03);
            y03 = scale0.fma(((FloatVector) n03.convert(I2F, 0)).mul(step3), y03);
            IntVector n13 = d13.reinterpretAsInts();
            n13 = n13.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n13.lanewise(ASHR, 16));
            y13 = bias1.fma(sum3, y13);
            y13 = scale1.fma(((FloatVector) n13.convert(I2F, 0)).mul(step3), y13);
            word += w.head;
            at += 4 * ROWS;
        }
        float[] y = out.y();
        int yAt = out.yAt() + w.lane;
        y00.intoArray(y, yAt);
        y10.intoArray(y, yAt + ROWS);
        y01.intoArray(y, yAt + out.yStride());
        y11.intoArray(y, yAt + out.yStride() + ROWS);
        y02.intoArray(y, yAt + 2 * out.yStride());
        y12.intoArray(y, yAt + 2 * out.yStride() + ROWS);
        y03.intoArray(y, yAt + 3 * out.yStride());
        y13.intoArray(y, yAt + 3 * out.yStride() + ROWS);
    }
}
