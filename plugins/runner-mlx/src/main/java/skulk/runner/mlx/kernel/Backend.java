package skulk.runner.mlx.kernel;

/**
 * One set of kernels: scalar (plain loops, the reference) or vector. Stateless; safe for use from any thread. Both give
 * the same results up to rounding, and each gives the same bits for a row whatever rows are computed beside it.
 */
public interface Backend {

    /** Name and vector width, for the log. */
    String describe();

    MatrixKernels matrix();

    RowKernels rows();

    AttentionKernels attention();

    IntKernels integer();

    /** Plain loops. */
    static Backend scalar() {
        return new ScalarBackend();
    }

    /** The vector kernels where this JVM has the vector module, the scalar ones otherwise. */
    static Backend best() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() ? new VectorBackend() : scalar();
    }
}
