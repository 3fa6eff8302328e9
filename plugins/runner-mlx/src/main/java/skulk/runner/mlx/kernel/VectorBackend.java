package skulk.runner.mlx.kernel;

/** Kernels in the JDK's Vector API. Loaded only where the vector module is present. */
record VectorBackend() implements Backend {
    @Override
    public String describe() {
        return "vector " + Lanes.F.vectorBitSize() + " bit";
    }

    @Override
    public MatrixKernels matrix() {
        return new VectorMatrix();
    }

    @Override
    public RowKernels rows() {
        return new VectorRows();
    }

    @Override
    public AttentionKernels attention() {
        return new VectorAttention();
    }

    @Override
    public IntKernels integer() {
        return new VectorInt();
    }
}
