package skulk.runner.mlx.kernel;

import static skulk.runner.mlx.kernel.Bf16.round;

/** Row kernels that round to BF16 where MLX does; means and exponentials are computed in floats. */
final class Bf16Rows implements RowKernels {
    private static final float HALF = 0.5f;

    @Override
    public void lookup(TileMatrix table, int row, float factor, float[] out, int at) {
        float[] values = new float[table.cols()];
        Bf16Product.row(table, row, values);
        for (int i = 0; i < values.length; i++) {
            out[at + i] = round(values[i] * round(factor));
        }
    }

    @Override
    public void rmsNorm(float[] x, int xAt, int length, float[] weight, double eps, float[] out, int outAt) {
        float sum = 0;
        for (int i = 0; i < length; i++) {
            float square = x[xAt + i] * x[xAt + i];
            sum += square;
        }
        float scale = 1 / (float) Math.sqrt(sum * (1f / length) + (float) eps);
        for (int i = 0; i < length; i++) {
            out[outAt + i] = round(round(x[xAt + i] * scale) * round(weight[i]));
        }
    }

    @Override
    public void gate(Activation act, float[] gate, int gateAt, float[] up, int upAt, int length) {
        for (int i = 0; i < length; i++) {
            float x = gate[gateAt + i];
            float y = up[upAt + i];
            gate[gateAt + i] = switch (act) {
                case SILU -> round(round(x * sigmoid(x)) * y);
                case GELU_TANH -> round(geluTanh(x) * y);
                case GELU -> round(gelu(x) * y);
                case CLAMPED_SWIGLU -> clamped(x, y);
                case RELU, RELU2 -> round((float) act.apply(x, y));
            };
        }
    }

    /** {@code exp} is rounded, the rest is computed in floats and rounded once. */
    @Override
    public float sigmoid(float x) {
        float y = 1 / (1 + round(Bf16.exp(Math.abs(x))));
        return round(x < 0 ? y : 1 - y);
    }

    private float clamped(float gate, float up) {
        float x = Math.min(gate, 7);
        float out = round(x * sigmoid(round(round(1.702f) * x)));
        return round(out * round(Math.clamp(up, -7f, 7f) + 1));
    }

    private static float geluTanh(float x) {
        float cube = round((float) Math.pow(x, 3));
        float inner = round(x + round(round(0.044715f) * cube));
        float tanh = round((float) Math.tanh(round(round((float) Math.sqrt(2 / Math.PI)) * inner)));
        return round(round(HALF * x) * round(1 + tanh));
    }

    private static float gelu(float x) {
        float erf = round((float) Erf.erf(round(x / round((float) Math.sqrt(2)))));
        return round(round(x * round(1 + erf)) / 2);
    }

    @Override
    public void addScaled(float[] x, int xAt, float[] y, int yAt, int length, float factor) {
        for (int i = 0; i < length; i++) {
            x[xAt + i] = round(x[xAt + i] + round(y[yAt + i] * round(factor)));
        }
    }

    @Override
    public float expInto(float[] scores, int at, int length, float max) {
        float sum = 0;
        for (int i = 0; i < length; i++) {
            scores[at + i] = Bf16.exp(scores[at + i] - max);
            sum += scores[at + i];
        }
        return sum;
    }

    @Override
    public void rotate(float[] x, int at, int half, float[] table, int tableAt) {
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            float cos = round(table[tableAt + i]);
            float sin = round(table[tableAt + half + i]);
            x[at + i] = round(round(a * cos) - round(b * sin));
            x[at + half + i] = round(round(a * sin) + round(b * cos));
        }
    }

    @Override
    public float narrow(float value) {
        return round(value);
    }
}
