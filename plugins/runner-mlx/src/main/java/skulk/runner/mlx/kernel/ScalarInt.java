package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

/** The reference form of {@link IntKernels}. */
final class ScalarInt implements IntKernels {
    @Override
    public void round(float[] x, int xAt, IntActivations out, int row) {
        int[] q = new int[out.group()];
        for (int g = 0; g < out.cols() / out.group(); g++) {
            float max = 0;
            float sum = 0;
            int at = xAt + g * out.group();
            for (int i = 0; i < q.length; i++) {
                max = Math.max(max, Math.abs(x[at + i]));
                sum += x[at + i];
            }
            float inverse = max < IntActivations.TINY ? 0 : IntActivations.MAX / max;
            for (int i = 0; i < q.length; i++) {
                q[i] = (int) Math.rint(x[at + i] * inverse);
            }
            put(out, row, g, q, max / IntActivations.MAX, sum);
        }
    }

    /** Stores the rounded values of a group. */
    static void put(IntActivations out, int row, int g, int[] q, float step, float sum) {
        int width = out.width(row);
        int first = out.first(row);
        int lane = row - first;
        int pair = out.pairsAt(first) + g * (out.group() / 2) * width + lane;
        int[] pairs = out.pairs;
        int low = 0;
        int high = 0;
        for (int i = 0; i < q.length; i += 8) {
            int a = q[i];
            int b = q[i + 1];
            int c = q[i + 2];
            int d = q[i + 3];
            int e = q[i + 4];
            int f = q[i + 5];
            int h = q[i + 6];
            int j = q[i + 7];
            pairs[pair] = a & 0xffff | e << 16;
            pairs[pair + width] = b - 16 * a & 0xffff | f - 16 * e << 16;
            pairs[pair + 2 * width] = c - 16 * b & 0xffff | h - 16 * f << 16;
            pairs[pair + 3 * width] = d - 16 * c & 0xffff | j - 16 * h << 16;
            pair += 4 * width;
            low += a + b + c + d;
            high += e + f + h + j;
        }
        out.starts[out.startsAt(first) + g * width + lane] = -8 * low & 0xffff | -8 * high << 16;
        int factor = out.factorsAt(first) + g * 3 * width + lane;
        out.factors[factor] = step;
        out.factors[factor + width] = 8 * sum;
        out.factors[factor + 2 * width] = sum;
    }

    @Override
    public void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt) {
        multiply(matrix, tile, x, row, y, yAt);
    }

    @Override
    public void multiply4(TileMatrix matrix, int tile, IntActivations x, int row, Output y) {
        for (int r = 0; r < IntActivations.BLOCK; r++) {
            multiply(matrix, tile, x, row + r, y.y(), y.yAt() + r * y.yStride());
            multiply(matrix, tile + 1, x, row + r, y.y(), y.yAt() + r * y.yStride() + ROWS);
        }
    }

    private static void multiply(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt) {
        int width = x.width(row);
        int first = x.first(row);
        int lane = row - first;
        TileFormat format = matrix.format();
        for (int r = 0; r < ROWS; r++) {
            float sum = 0;
            for (int g = 0; g < x.cols() / x.group(); g++) {
                long group = tile * matrix.tileBytes() + g * format.groupBytes();
                int start = x.starts[x.startsAt(first) + g * width + lane];
                short low = (short) start;
                short high = (short) (start >> 16);
                for (int w = 0; w < x.group() / 8; w++) {
                    int word = matrix.data()
                            .get(ScalarMatrix.INT, group + format.groupHead() + (long) (w * ROWS + r) * 4);
                    for (int k = 0; k < 4; k++) {
                        int pair = x.pairs[x.pairsAt(first) + ((g * x.group() / 8 + w) * 4 + k) * width + lane];
                        low = (short) (low + ((word & 0xffff) >>> 4 * k) * (short) pair);
                        high = (short) (high + (word >>> 16 >>> 4 * k) * (pair >> 16));
                    }
                }
                int factor = x.factorsAt(first) + g * 3 * width + lane;
                float scale = ScalarMatrix.scale(matrix.data(), format, group, r);
                float bias = ScalarMatrix.scale(matrix.data(), format, group + (long) ROWS * format.scaleBytes(), r);
                sum = Math.fma(bias, x.factors[factor + 2 * width], sum);
                sum = Math.fma(scale, Math.fma(low + high, x.factors[factor], x.factors[factor + width]), sum);
            }
            y[yAt + r] = sum;
        }
    }
}
