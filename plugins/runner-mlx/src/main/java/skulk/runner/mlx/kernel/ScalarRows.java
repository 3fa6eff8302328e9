package skulk.runner.mlx.kernel;

/** The reference form of {@link RowKernels}. */
final class ScalarRows implements RowKernels {
    @Override
    public void rmsNorm(float[] x, int xAt, int length, float[] weight, double eps, float[] out, int outAt) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += (double) x[xAt + i] * x[xAt + i];
        }
        float scale = (float) (1 / Math.sqrt(sum / length + eps));
        for (int i = 0; i < length; i++) {
            out[outAt + i] = x[xAt + i] * scale * weight[i];
        }
    }

    @Override
    public void gate(Activation act, float[] gate, int gateAt, float[] up, int upAt, int length) {
        for (int i = 0; i < length; i++) {
            gate[gateAt + i] = (float) act.apply(gate[gateAt + i], up[upAt + i]);
        }
    }

    @Override
    public void addScaled(float[] x, int xAt, float[] y, int yAt, int length, float factor) {
        for (int i = 0; i < length; i++) {
            x[xAt + i] = Math.fma(y[yAt + i], factor, x[xAt + i]);
        }
    }

    @Override
    public float expInto(float[] scores, int at, int length, float max) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            scores[at + i] = (float) Math.exp(scores[at + i] - max);
            sum += scores[at + i];
        }
        return (float) sum;
    }

    @Override
    public void rotate(float[] x, int at, int half, float[] table, int tableAt) {
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            x[at + i] = a * table[tableAt + i] - b * table[tableAt + half + i];
            x[at + half + i] = a * table[tableAt + half + i] + b * table[tableAt + i];
        }
    }
}
