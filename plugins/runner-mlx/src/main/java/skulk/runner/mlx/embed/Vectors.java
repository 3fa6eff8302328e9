package skulk.runner.mlx.embed;

import java.util.Arrays;

/** Arithmetic on finished vectors. */
final class Vectors {
    private Vectors() {}

    /** The first {@code length} values, scaled to unit length; a vector of zeros stays one. */
    static float[] unit(float[] vector, int length) {
        float[] out = Arrays.copyOf(vector, length);
        double squares = 0;
        for (float value : out) {
            squares += (double) value * value;
        }
        if (squares > 0) {
            double factor = 1 / Math.sqrt(squares);
            for (int i = 0; i < length; i++) {
                out[i] = (float) (out[i] * factor);
            }
        }
        return out;
    }
}
