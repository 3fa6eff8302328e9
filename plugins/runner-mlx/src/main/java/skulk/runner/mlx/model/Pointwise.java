package skulk.runner.mlx.model;

import skulk.runner.mlx.kernel.RowKernels;

/** Operations on single values and rows that only some families have. Driver thread only; in place unless said otherwise. */
final class Pointwise {
    private static final int VALUES_PER_TASK = 8192;

    private Pointwise() {}

    /** {@code cap * tanh(x / cap)}. */
    static void softcap(Ops ops, Rows x, double cap) {
        int size = x.count() * x.width();
        RowKernels kernels = ops.backend().rows();
        float narrow = kernels.narrow((float) cap);
        ops.parallel((size + VALUES_PER_TASK - 1) / VALUES_PER_TASK, (task, worker) -> {
            int end = Math.min(size, (task + 1) * VALUES_PER_TASK);
            for (int i = task * VALUES_PER_TASK; i < end; i++) {
                float inner = kernels.narrow(x.data()[i] / narrow);
                x.data()[i] = kernels.narrow(narrow * kernels.narrow((float) Math.tanh(inner)));
            }
        });
    }

    /** {@code x *= sigmoid(gate)} with the gates from column {@code col} of {@code gates} on. */
    static void sigmoidGate(Ops ops, Rows x, Rows gates, int col) {
        RowKernels kernels = ops.backend().rows();
        ops.forRows(x.count(), row -> {
            int at = x.at(row);
            int from = gates.at(row) + col;
            for (int i = 0; i < x.width(); i++) {
                x.data()[at + i] = kernels.narrow(x.data()[at + i] * kernels.sigmoid(gates.data()[from + i]));
            }
        });
    }

    /** {@code x *= sigmoid(gate)} with one gate per row. */
    static void sigmoidGateRows(Ops ops, Rows x, Rows gates) {
        RowKernels kernels = ops.backend().rows();
        ops.forRows(x.count(), row -> {
            float factor = kernels.sigmoid(gates.data()[gates.at(row)]);
            for (int i = x.at(row); i < x.at(row) + x.width(); i++) {
                x.data()[i] = kernels.narrow(x.data()[i] * factor);
            }
        });
    }

    /** Layer norm of every row, into new rows. */
    static Rows layerNorm(Ops ops, Rows x, LayerNorm norm) {
        Rows out = ops.rows(x.count(), x.width());
        ops.forRows(x.count(), row -> {
            System.arraycopy(x.data(), x.at(row), out.data(), out.at(row), x.width());
            if (ops.backend().rounds()) {
                standardiseInFloats(out.data(), out.at(row), x.width(), (float) norm.eps);
            } else {
                standardise(out.data(), out.at(row), x.width(), norm.eps);
            }
            for (int i = 0; i < x.width(); i++) {
                float value = ops.narrow(out.data()[out.at(row) + i]);
                out.data()[out.at(row) + i] = ops.narrow(ops.narrow(value * norm.weight[i]) + norm.bias[i]);
            }
        });
        return out;
    }

    /** To a mean of zero and a variance of one. */
    private static void standardise(float[] x, int at, int width, double eps) {
        double mean = 0;
        for (int i = at; i < at + width; i++) {
            mean += x[i];
        }
        mean /= width;
        double variance = 0;
        for (int i = at; i < at + width; i++) {
            variance += Math.pow(x[i] - mean, 2);
        }
        double factor = 1 / Math.sqrt(variance / width + eps);
        for (int i = at; i < at + width; i++) {
            x[i] = (float) ((x[i] - mean) * factor);
        }
    }

    /** The same as MLX's CPU backend computes it, in its order of additions. */
    private static void standardiseInFloats(float[] x, int at, int width, float eps) {
        float sum = 0;
        for (int i = at; i < at + width; i++) {
            sum += x[i];
        }
        float mean = sum * (1f / width);
        float squares = 0;
        for (int i = at; i < at + width; i++) {
            x[i] -= mean;
            float square = x[i] * x[i];
            squares += square;
        }
        float factor = 1 / (float) Math.sqrt(squares * (1f / width) + eps);
        for (int i = at; i < at + width; i++) {
            x[i] *= factor;
        }
    }

    /** Weights of a layer norm. */
    record LayerNorm(float[] weight, float[] bias, double eps) {
        /** From {@code path.weight} and, if the checkpoint has it, {@code path.bias}. */
        static LayerNorm load(Weights w, String path, int size, double eps) {
            Cut.Range all = new Cut.Range(0, size);
            float[] bias = w.has(path + ".bias") ? w.vector(path + ".bias", size, all) : new float[size];
            return new LayerNorm(w.vector(path + ".weight", size, all), bias, eps);
        }
    }
}
