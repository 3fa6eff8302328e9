package skulk.runner.mlx.kernel;

/** Plain loops. */
record ScalarBackend() implements Backend {
    @Override
    public String describe() {
        return "scalar";
    }

    @Override
    public MatrixKernels matrix() {
        return new ScalarMatrix();
    }

    @Override
    public RowKernels rows() {
        return new ScalarRows();
    }

    @Override
    public AttentionKernels attention() {
        return new ScalarAttention();
    }

    @Override
    public IntKernels integer() {
        return new ScalarInt();
    }
}
