package skulk.runner.mlx.kernel;

/**
 * One set of kernels: scalar (plain loops, the reference) or vector. Stateless; safe for use from any thread. Both give
 * the same results up to rounding, and each gives the same bits for a row whatever rows are computed beside it.
 */
public interface Backend {

    /** Name and vector width, for the log. */
    String describe();

    MatrixKernels matrix();

    /** Products in floats for a pool of {@code threads} workers. */
    default FloatProducts products(int threads) {
        return new FloatProduct(matrix(), threads);
    }

    RowKernels rows();

    AttentionKernels attention();

    IntKernels integer();

    /** Whether every operation rounds to BF16, attention included. */
    default boolean rounds() {
        return false;
    }

    /** Plain loops. */
    static Backend scalar() {
        return new ScalarBackend();
    }

    /** Plain loops that round to BF16 as MLX does. */
    static Backend bf16() {
        return new Bf16Backend();
    }

    /** The vector kernels where this JVM has the vector module, the scalar ones otherwise. */
    static Backend best() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() ? new VectorBackend() : scalar();
    }
}
