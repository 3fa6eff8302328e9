package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

/** The reference form of {@link IntKernels}. */
final class ScalarInt implements IntKernels {
    @Override
    public void round(float[] x, int xAt, IntActivations out, int row) {
        int span = out.span();
        int[] q = new int[span];
        for (int s = 0; s < out.cols() / span; s++) {
            float[] sizes = new float[ROWS];
            float[] values = new float[ROWS];
            int at = xAt + s * span;
            for (int i = 0; i < span; i++) {
                sizes[i % ROWS] += Math.abs(x[at + i]);
                values[i % ROWS] += x[at + i];
            }
            float size = IntActivations.size(sizes);
            float inverse = IntActivations.inverse(size);
            for (int i = 0; i < span; i++) {
                q[i] = (int) Math.rint(x[at + i] * inverse);
            }
            out.put(row, s, q, IntActivations.step(size), IntActivations.sum(values));
        }
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
            for (int g = 0; g < x.cols() / x.span(); g++) {
                long group = tile * matrix.tileBytes() + g * format.groupBytes();
                float scale = ScalarMatrix.scale(matrix.data(), format, group, r);
                float bias = ScalarMatrix.scale(matrix.data(), format, group + (long) ROWS * format.scaleBytes(), r);
                int at = x.spansAt(first) + g * width + lane;
                int pair = x.pairsAt(first) + g * (x.span() / 2) * width + lane;
                int n = span(matrix, group + format.groupHead() + r * 4L, x, pair, width, x.starts[at]);
                sum = Math.fma(Math.fma(8f, scale, bias), x.sums[at], sum);
                sum = Math.fma(scale, n * x.steps[at], sum);
            }
            y[yAt + r] = sum;
        }
    }

    private static int span(TileMatrix matrix, long at, IntActivations x, int pair, int width, int start) {
        short low = (short) start;
        short high = (short) (start >> 16);
        for (int w = 0; w < x.span() / 8; w++) {
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
