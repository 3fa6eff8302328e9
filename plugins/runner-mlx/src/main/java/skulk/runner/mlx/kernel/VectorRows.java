package skulk.runner.mlx.kernel;

import static jdk.incubator.vector.VectorOperators.F2I;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static skulk.runner.mlx.kernel.Lanes.F;
import static skulk.runner.mlx.kernel.Lanes.N;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** {@link RowKernels} in vectors; the end of a row that does not fill one is done in plain code. */
final class VectorRows implements RowKernels {
    private static final ScalarRows TAIL = new ScalarRows();

    // exp(x) = 2^n * 2^f with n = round(x log2 e), |f| <= 1/2, and a degree-6 minimax-like Taylor polynomial of
    // exp(f ln 2): relative error below 2e-7 over the whole range.
    private static final float LOG2E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float ROUND = 12582912f;
    private static final float LOWEST = -87f;
    private static final float HIGHEST = 88f;
    private static final float C2 = 0.5f;
    private static final float C3 = 0.16666667f;
    private static final float C4 = 0.041666667f;
    private static final float C5 = 0.008333334f;
    private static final float C6 = 0.0013888889f;

    @Override
    public void rmsNorm(float[] x, int xAt, int length, float[] weight, double eps, float[] out, int outAt) {
        int whole = length - length % N;
        FloatVector squares = FloatVector.zero(F);
        for (int i = 0; i < whole; i += N) {
            FloatVector v = FloatVector.fromArray(F, x, xAt + i);
            squares = v.fma(v, squares);
        }
        double sum = sum(squares);
        for (int i = whole; i < length; i++) {
            sum += (double) x[xAt + i] * x[xAt + i];
        }
        float scale = (float) (1 / Math.sqrt(sum / length + eps));
        for (int i = 0; i < whole; i += N) {
            FloatVector.fromArray(F, x, xAt + i)
                    .mul(scale)
                    .mul(FloatVector.fromArray(F, weight, i))
                    .intoArray(out, outAt + i);
        }
        for (int i = whole; i < length; i++) {
            out[outAt + i] = x[xAt + i] * scale * weight[i];
        }
    }

    @Override
    public void gate(Activation act, float[] gate, int gateAt, float[] up, int upAt, int length) {
        int whole = length - length % N;
        switch (act) {
            case SILU -> silu(gate, gateAt, up, upAt, whole);
            case GELU_TANH -> geluTanh(gate, gateAt, up, upAt, whole);
            case CLAMPED_SWIGLU -> clampedSwiglu(gate, gateAt, up, upAt, whole);
            case RELU, RELU2, GELU -> whole = 0;
        }
        TAIL.gate(act, gate, gateAt + whole, up, upAt + whole, length - whole);
    }

    private static void silu(float[] gate, int gateAt, float[] up, int upAt, int whole) {
        for (int i = 0; i < whole; i += N) {
            FloatVector g = FloatVector.fromArray(F, gate, gateAt + i);
            FloatVector x = g.neg().max(LOWEST).min(HIGHEST);
            FloatVector n = x.mul(LOG2E).add(ROUND).sub(ROUND);
            FloatVector f = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            f = n.fma(FloatVector.broadcast(F, -LN2_LOW), f);
            FloatVector p = f.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
            p = p.fma(f, FloatVector.broadcast(F, C4));
            p = p.fma(f, FloatVector.broadcast(F, C3));
            p = p.fma(f, FloatVector.broadcast(F, C2));
            p = p.mul(f).fma(f, f).add(1);
            IntVector exponent = ((IntVector) n.convert(F2I, 0)).add(127).lanewise(LSHL, 23);
            FloatVector e = p.mul(exponent.reinterpretAsFloats());
            g.div(e.add(1)).mul(FloatVector.fromArray(F, up, upAt + i)).intoArray(gate, gateAt + i);
        }
    }

    /** {@code x/2 (1 + tanh u)} is {@code x σ(2u)} with {@code u = √(2/π) (x + 0.044715 x³)}. */
    private static void geluTanh(float[] gate, int gateAt, float[] up, int upAt, int whole) {
        for (int i = 0; i < whole; i += N) {
            FloatVector g = FloatVector.fromArray(F, gate, gateAt + i);
            FloatVector cube = g.mul(g).mul(g);
            FloatVector u = cube.mul(0.044715f).add(g).mul(-1.5957691216f);
            FloatVector x = u.max(LOWEST).min(HIGHEST);
            FloatVector n = x.mul(LOG2E).add(ROUND).sub(ROUND);
            FloatVector f = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            f = n.fma(FloatVector.broadcast(F, -LN2_LOW), f);
            FloatVector p = f.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
            p = p.fma(f, FloatVector.broadcast(F, C4));
            p = p.fma(f, FloatVector.broadcast(F, C3));
            p = p.fma(f, FloatVector.broadcast(F, C2));
            p = p.mul(f).fma(f, f).add(1);
            IntVector exponent = ((IntVector) n.convert(F2I, 0)).add(127).lanewise(LSHL, 23);
            FloatVector e = p.mul(exponent.reinterpretAsFloats());
            g.div(e.add(1)).mul(FloatVector.fromArray(F, up, upAt + i)).intoArray(gate, gateAt + i);
        }
    }

    private static void clampedSwiglu(float[] gate, int gateAt, float[] up, int upAt, int whole) {
        for (int i = 0; i < whole; i += N) {
            FloatVector g = FloatVector.fromArray(F, gate, gateAt + i).min(7f);
            FloatVector x = g.mul(-1.702f).max(LOWEST).min(HIGHEST);
            FloatVector n = x.mul(LOG2E).add(ROUND).sub(ROUND);
            FloatVector f = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            f = n.fma(FloatVector.broadcast(F, -LN2_LOW), f);
            FloatVector p = f.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
            p = p.fma(f, FloatVector.broadcast(F, C4));
            p = p.fma(f, FloatVector.broadcast(F, C3));
            p = p.fma(f, FloatVector.broadcast(F, C2));
            p = p.mul(f).fma(f, f).add(1);
            IntVector exponent = ((IntVector) n.convert(F2I, 0)).add(127).lanewise(LSHL, 23);
            FloatVector e = p.mul(exponent.reinterpretAsFloats());
            FloatVector linear =
                    FloatVector.fromArray(F, up, upAt + i).max(-7f).min(7f).add(1);
            g.div(e.add(1)).mul(linear).intoArray(gate, gateAt + i);
        }
    }

    @Override
    public void addScaled(float[] x, int xAt, float[] y, int yAt, int length, float factor) {
        int whole = length - length % N;
        for (int i = 0; i < whole; i += N) {
            FloatVector.fromArray(F, y, yAt + i)
                    .fma(FloatVector.broadcast(F, factor), FloatVector.fromArray(F, x, xAt + i))
                    .intoArray(x, xAt + i);
        }
        TAIL.addScaled(x, xAt + whole, y, yAt + whole, length - whole, factor);
    }

    @Override
    public float expInto(float[] scores, int at, int length, float max) {
        int whole = length - length % N;
        FloatVector sum = FloatVector.zero(F);
        for (int i = 0; i < whole; i += N) {
            FloatVector raw = FloatVector.fromArray(F, scores, at + i).sub(max);
            FloatVector x = raw.max(LOWEST);
            FloatVector n = x.mul(LOG2E).add(ROUND).sub(ROUND);
            FloatVector f = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            f = n.fma(FloatVector.broadcast(F, -LN2_LOW), f);
            FloatVector p = f.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
            p = p.fma(f, FloatVector.broadcast(F, C4));
            p = p.fma(f, FloatVector.broadcast(F, C3));
            p = p.fma(f, FloatVector.broadcast(F, C2));
            p = p.mul(f).fma(f, f).add(1);
            IntVector exponent = ((IntVector) n.convert(F2I, 0)).add(127).lanewise(LSHL, 23);
            FloatVector e = p.mul(exponent.reinterpretAsFloats());
            e = e.blend(0, raw.lt(LOWEST));
            e.intoArray(scores, at + i);
            sum = sum.add(e);
        }
        return sum(sum) + TAIL.expInto(scores, at + whole, length - whole, max);
    }

    @Override
    public void rotate(float[] x, int at, int half, float[] table, int tableAt) {
        int whole = half - half % N;
        for (int i = 0; i < whole; i += N) {
            FloatVector a = FloatVector.fromArray(F, x, at + i);
            FloatVector b = FloatVector.fromArray(F, x, at + half + i);
            FloatVector cos = FloatVector.fromArray(F, table, tableAt + i);
            FloatVector sin = FloatVector.fromArray(F, table, tableAt + half + i);
            a.mul(cos).sub(b.mul(sin)).intoArray(x, at + i);
            a.mul(sin).add(b.mul(cos)).intoArray(x, at + half + i);
        }
        for (int i = whole; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            x[at + i] = a * table[tableAt + i] - b * table[tableAt + half + i];
            x[at + half + i] = a * table[tableAt + half + i] + b * table[tableAt + i];
        }
    }

    /** In an order of its own, four sums at once: that of {@code reduceLanes} is not defined and changes when code is compiled. */
    private static float sum(FloatVector v) {
        float[] lanes = v.toArray();
        float a = lanes[0];
        float b = lanes[1];
        float c = lanes[2];
        float d = lanes[3];
        for (int i = 4; i < N; i += 4) {
            a += lanes[i];
            b += lanes[i + 1];
            c += lanes[i + 2];
            d += lanes[i + 3];
        }
        return a + b + (c + d);
    }
}
