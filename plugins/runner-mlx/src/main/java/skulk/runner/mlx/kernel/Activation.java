package skulk.runner.mlx.kernel;

import java.util.Arrays;
import java.util.Optional;

/** Activation functions of feed-forward blocks, by the names that configurations use. */
public enum Activation {
    SILU("silu", "swish"),
    /** {@code x/2 (1 + erf(x/√2))}. */
    GELU("gelu"),
    /** The tanh approximation of GELU. */
    GELU_TANH("gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_approx"),
    RELU("relu"),
    /** {@code max(x, 0)²}. */
    RELU2("relu2"),
    /** Both inputs clamped to 7, {@code x σ(1.702 x) (up + 1)}: gpt_oss. */
    CLAMPED_SWIGLU("clamped_swiglu");

    private final String[] names;

    Activation(String... names) {
        this.names = names;
    }

    /** By a configuration's name. */
    public static Optional<Activation> of(String name) {
        return Arrays.stream(values())
                .filter(a -> Arrays.asList(a.names).contains(name))
                .findFirst();
    }

    /** All names that {@link #of} knows. */
    public static String known() {
        return String.join(
                ", ",
                Arrays.stream(values()).flatMap(a -> Arrays.stream(a.names)).toList());
    }

    /** {@code act(gate) * up} in double precision, the reference of the kernels. */
    double apply(double gate, double up) {
        return switch (this) {
            case SILU -> gate / (1 + Math.exp(-gate)) * up;
            case GELU -> 0.5 * gate * (1 + Erf.erf(gate / Math.sqrt(2))) * up;
            case GELU_TANH ->
                0.5 * gate * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (gate + 0.044715 * gate * gate * gate))) * up;
            case RELU -> Math.max(gate, 0) * up;
            case RELU2 -> Math.max(gate, 0) * Math.max(gate, 0) * up;
            case CLAMPED_SWIGLU -> {
                double x = Math.min(gate, 7);
                yield x / (1 + Math.exp(-1.702 * x)) * (Math.clamp(up, -7.0, 7.0) + 1);
            }
        };
    }
}
