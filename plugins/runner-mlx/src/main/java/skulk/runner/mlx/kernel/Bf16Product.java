package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import skulk.runner.mlx.kernel.Product.Unit;

/**
 * Products of BF16 rows: quantised weights are expanded, multiplied and added up in BF16, value by value in ascending
 * order of columns, on top of what the outputs hold; plain weights are added up in floats and the sum is rounded, as MLX's matrix product does.
 */
final class Bf16Product implements FloatProducts {
    @Override
    public void compute(Unit unit, int from, int to, int worker) {
        float[] weights = new float[unit.matrix().cols()];
        TileFormat format = unit.matrix().format();
        int end = Math.min(unit.matrix().rows(), to * ROWS);
        for (int output = from * ROWS; output < end; output++) {
            if (!format.small()) {
                row(unit.matrix(), output, weights);
            }
            for (int row = 0; row < unit.rows(); row++) {
                int x = unit.xAt() + row * unit.xStride();
                int y = Product.outputAt(unit, row, output / ROWS) + output % ROWS;
                float sum = unit.y()[y];
                unit.y()[y] = switch (format.kind()) {
                    case AFFINE -> rounded(sum, weights, unit.x(), x);
                    case FP4, FP8 -> scaled(sum, unit.matrix(), output, unit.x(), x);
                    default -> plain(sum, weights, unit.x(), x);
                };
            }
        }
    }

    /** Expands a row as MLX does: scaled, rounded, shifted, rounded. */
    static void row(TileMatrix matrix, int row, float[] out) {
        TileFormat format = matrix.format();
        for (int k = 0; k < out.length; k++) {
            out[k] = format.kind() == TileFormat.Kind.AFFINE
                    ? affine(matrix, row, k)
                    : Bf16.round(ScalarMatrix.value(matrix, row / ROWS, k, row % ROWS));
        }
    }

    private static float affine(TileMatrix matrix, int row, int col) {
        TileFormat format = matrix.format();
        long group = row / ROWS * matrix.tileBytes() + col / format.group() * format.groupBytes();
        float scale = ScalarMatrix.scale(matrix.data(), format, group, row % ROWS);
        float bias = ScalarMatrix.scale(matrix.data(), format, group + (long) ROWS * format.scaleBytes(), row % ROWS);
        int code = ScalarMatrix.code(matrix.data(), format, group, col % format.group(), row % ROWS);
        return Bf16.round(Bf16.round(scale * code) + bias);
    }

    private static float rounded(float start, float[] w, float[] x, int at) {
        float sum = start;
        for (int k = 0; k < w.length; k++) {
            sum = Bf16.round(sum + Bf16.round(x[at + k] * w[k]));
        }
        return sum;
    }

    /** Small floats are added up group by group before their scale is applied. */
    private static float scaled(float start, TileMatrix matrix, int output, float[] x, int at) {
        TileFormat format = matrix.format();
        float sum = start;
        for (int k = 0; k < matrix.cols(); k += format.group()) {
            long group = output / ROWS * matrix.tileBytes() + k / format.group() * format.groupBytes();
            float scale = ScalarMatrix.scale(matrix.data(), format, group, output % ROWS);
            float part = 0;
            for (int i = 0; i < format.group(); i++) {
                float value = ScalarMatrix.small(matrix.data(), format, group, i, output % ROWS);
                part = Bf16.round(part + Bf16.round(x[at + k + i] * value));
            }
            sum = Bf16.round(sum + Bf16.round(scale * part));
        }
        return sum;
    }

    private static float plain(float start, float[] w, float[] x, int at) {
        float sum = 0;
        for (int k = 0; k < w.length; k++) {
            float product = x[at + k] * w[k];
            sum += product;
        }
        return Bf16.round(sum + start);
    }
}
