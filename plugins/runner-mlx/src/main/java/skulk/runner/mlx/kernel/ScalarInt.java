package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.IntActivations.SPAN;
import static skulk.runner.mlx.kernel.TileFormat.ROWS;

/** The reference form of {@link IntKernels}. */
final class ScalarInt implements IntKernels {
    @Override
    public void round(float[] x, int xAt, IntActivations out, int row) {
        int[] q = new int[SPAN];
        for (int s = 0; s < out.cols() / SPAN; s++) {
            float max = 0;
            float sum = 0;
            int at = xAt + s * SPAN;
            for (int i = 0; i < SPAN; i++) {
                max = Math.max(max, Math.abs(x[at + i]));
                sum += x[at + i];
            }
            float inverse = max < IntActivations.TINY ? 0 : IntActivations.MAX / max;
            for (int i = 0; i < SPAN; i++) {
                q[i] = (int) Math.rint(x[at + i] * inverse);
            }
            put(out, row, s, q, max / IntActivations.MAX, sum);
        }
    }

    /** Stores the rounded values of span {@code s}. */
    static void put(IntActivations out, int row, int s, int[] q, float step, float sum) {
        int width = out.width(row);
        int first = out.first(row);
        int lane = row - first;
        int pair = out.pairsAt(first) + s * (SPAN / 2) * width + lane;
        int[] pairs = out.pairs;
        int low = 0;
        int high = 0;
        for (int i = 0; i < SPAN; i += 8) {
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
        int at = out.spansAt(first) + s * width + lane;
        out.starts[at] = -8 * low & 0xffff | -8 * high << 16;
        out.steps[at] = step;
        out.sums[at] = sum;
    }

    @Override
    public void scales(TileMatrix matrix, int tile, float[] out) {
        TileFormat format = matrix.format();
        for (int g = 0; g < matrix.cols() / format.group(); g++) {
            for (int t = 0; t < 2; t++) {
                long group = (tile + t) * matrix.tileBytes() + g * format.groupBytes();
                for (int r = 0; r < ROWS; r++) {
                    int at = (2 * g + t) * 2 * ROWS + r;
                    out[at] = ScalarMatrix.scale(matrix.data(), format, group, r);
                    float bias =
                            ScalarMatrix.scale(matrix.data(), format, group + (long) ROWS * format.scaleBytes(), r);
                    out[at + ROWS] = Math.fma(8f, out[at], bias);
                }
            }
        }
    }

    @Override
    public void multiply1(TileMatrix matrix, int tile, IntActivations x, int row, float[] y, int yAt) {
        multiply(matrix, tile, x, row, y, yAt);
    }

    @Override
    public void multiply4(TileMatrix matrix, int tile, float[] scales, IntActivations x, int row, Output y) {
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
                float scale = ScalarMatrix.scale(matrix.data(), format, group, r);
                float bias = ScalarMatrix.scale(matrix.data(), format, group + (long) ROWS * format.scaleBytes(), r);
                for (int s = g * x.group() / SPAN; s < (g + 1) * x.group() / SPAN; s++) {
                    int at = x.spansAt(first) + s * width + lane;
                    long word = group + format.groupHead() + (s * SPAN - g * x.group()) / 8 * (ROWS * 4L) + r * 4L;
                    int pair = x.pairsAt(first) + s * (SPAN / 2) * width + lane;
                    int n = span(matrix, word, x, pair, width, x.starts[at]);
                    sum = Math.fma(Math.fma(8f, scale, bias), x.sums[at], sum);
                    sum = Math.fma(scale, n * x.steps[at], sum);
                }
            }
            y[yAt + r] = sum;
        }
    }

    private static int span(TileMatrix matrix, long at, IntActivations x, int pair, int width, int start) {
        short low = (short) start;
        short high = (short) (start >> 16);
        for (int w = 0; w < SPAN / 8; w++) {
            int word = matrix.data().get(ScalarMatrix.INT, at + (long) w * ROWS * 4);
            for (int k = 0; k < 4; k++) {
                int both = x.pairs[pair + (w * 4 + k) * width];
                low = (short) (low + ((word & 0xffff) >>> 4 * k) * (short) both);
                high = (short) (high + (word >>> 16 >>> 4 * k) * (both >> 16));
            }
        }
        return low + high;
    }
}
