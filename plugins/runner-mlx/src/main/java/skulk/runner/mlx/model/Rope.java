package skulk.runner.mlx.model;

import java.util.Arrays;
import skulk.runner.mlx.kernel.RowKernels;

/**
 * Rotary position embedding: pair {@code i} of a head turns by {@code position * frequency[i]}, and the turned part is
 * multiplied by a factor. Angles are computed in double precision, once per position.
 *
 * <p>{@link #prepare} is for the driver thread before a dispatch, {@link #apply} for any worker during one.
 */
final class Rope {
    private static final int GROWTH = 256;

    private final double[] frequencies;
    private final double factor;
    private final boolean interleaved;
    private float[] table = new float[0];
    /** What values are multiplied by before they turn. */
    private float first = 1;

    private int prepared;

    /**
     * @param frequencies radians per position, one per pair
     * @param factor multiplies turned values
     * @param interleaved pairs are neighbours rather than halves of the head
     */
    Rope(double[] frequencies, double factor, boolean interleaved) {
        this.frequencies = frequencies.clone();
        this.factor = factor;
        this.interleaved = interleaved;
    }

    /** Radians per position, one per pair. */
    double[] frequencies() {
        return frequencies.clone();
    }

    /** Multiplies turned values. */
    double factor() {
        return factor;
    }

    /**
     * Makes positions below {@code end} ready.
     *
     * @param single angles are products of floats, and values take the factor before they turn, as MLX computes them; always
     *     the same for one rope
     */
    void prepare(int end, boolean single) {
        if (end <= prepared) {
            return;
        }
        int pairs = frequencies.length;
        first = single ? (float) factor : 1;
        double tableFactor = single ? 1 : factor;
        int target = Math.max(end, Math.min(prepared * 2, prepared + 16 * GROWTH) + GROWTH);
        float[] next = Arrays.copyOf(table, target * 2 * pairs);
        for (int p = prepared; p < target; p++) {
            for (int i = 0; i < pairs; i++) {
                double angle = single ? p * (float) frequencies[i] : p * frequencies[i];
                next[(2 * p) * pairs + i] = (float) (tableFactor * Math.cos(angle));
                next[(2 * p + 1) * pairs + i] = (float) (tableFactor * Math.sin(angle));
            }
        }
        table = next;
        prepared = target;
    }

    /** Turns one head in place. */
    void apply(RowKernels kernels, float[] x, int at, int position) {
        int pairs = frequencies.length;
        int tableAt = 2 * position * pairs;
        for (int i = at; first != 1 && i < at + 2 * pairs; i++) {
            x[i] = kernels.narrow(x[i] * kernels.narrow(first));
        }
        if (!interleaved) {
            kernels.rotate(x, at, pairs, table, tableAt);
            return;
        }
        for (int i = 0; i < pairs; i++) {
            float a = x[at + 2 * i];
            float b = x[at + 2 * i + 1];
            float cos = kernels.narrow(table[tableAt + i]);
            float sin = kernels.narrow(table[tableAt + pairs + i]);
            x[at + 2 * i] = kernels.narrow(kernels.narrow(a * cos) - kernels.narrow(b * sin));
            x[at + 2 * i + 1] = kernels.narrow(kernels.narrow(a * sin) + kernels.narrow(b * cos));
        }
    }
}
