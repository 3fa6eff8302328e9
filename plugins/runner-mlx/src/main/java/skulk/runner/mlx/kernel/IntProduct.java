package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import skulk.runner.mlx.kernel.IntKernels.Output;
import skulk.runner.mlx.kernel.Product.Unit;

/** Products of 4-bit matrices with rounded activations. */
final class IntProduct {
    private final IntKernels kernels;
    private final float[][] scratch;
    private final float[][] scales;

    IntProduct(IntKernels kernels, int threads) {
        this.kernels = kernels;
        this.scratch = Product.scratch(threads, IntActivations.BLOCK * 2 * ROWS);
        this.scales = new float[threads][0];
    }

    /** Whether matrices of a format are multiplied here. */
    static boolean takes(TileFormat format) {
        return format.kind() == TileFormat.Kind.AFFINE
                && format.bits() == 4
                && (format.group() == 32 || format.group() == 64);
    }

    void round(Unit unit, IntActivations out, int row) {
        kernels.round(unit.x(), unit.xAt() + row * unit.xStride(), out, row);
    }

    void compute(Unit unit, IntActivations x, int from, int to, int worker) {
        int blocks = unit.rows() / IntActivations.BLOCK * IntActivations.BLOCK;
        for (int tile = from; blocks > 0 && tile < to; tile += 2) {
            blocks(unit, x, blocks, tile, worker);
        }
        for (int row = blocks; row < unit.rows(); row++) {
            for (int tile = from; tile < to; tile++) {
                single(unit, x, row, tile, scratch[worker]);
            }
        }
    }

    private void blocks(Unit unit, IntActivations x, int rows, int tile, int worker) {
        TileMatrix matrix = unit.matrix();
        int size = 4 * ROWS * (matrix.cols() / matrix.format().group());
        if (scales[worker].length < size) {
            scales[worker] = new float[size];
        }
        kernels.scales(matrix, tile, scales[worker]);
        int outputs = matrix.rows() - tile * ROWS;
        float[] spare = scratch[worker];
        for (int row = 0; row < rows; row += IntActivations.BLOCK) {
            int at = Product.outputAt(unit, row, tile);
            if (outputs >= 2 * ROWS) {
                kernels.multiply4(matrix, tile, scales[worker], x, row, new Output(unit.y(), at, unit.yStride()));
                continue;
            }
            kernels.multiply4(matrix, tile, scales[worker], x, row, new Output(spare, 0, 2 * ROWS));
            for (int r = 0; r < IntActivations.BLOCK; r++) {
                System.arraycopy(spare, r * 2 * ROWS, unit.y(), at + r * unit.yStride(), outputs);
            }
        }
    }

    private void single(Unit unit, IntActivations x, int row, int tile, float[] spare) {
        int outputs = unit.matrix().rows() - tile * ROWS;
        int at = Product.outputAt(unit, row, tile);
        if (outputs >= ROWS) {
            kernels.multiply1(unit.matrix(), tile, x, row, unit.y(), at);
            return;
        }
        kernels.multiply1(unit.matrix(), tile, x, row, spare, 0);
        System.arraycopy(spare, 0, unit.y(), at, outputs);
    }
}
