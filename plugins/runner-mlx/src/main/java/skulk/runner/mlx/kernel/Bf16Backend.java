package skulk.runner.mlx.kernel;

/**
 * Plain loops that round to BF16 wherever MLX's CPU backend does when it evaluates a BF16 checkpoint, in its order of
 * additions. For comparing with MLX; slow.
 */
record Bf16Backend() implements Backend {
    @Override
    public String describe() {
        return "scalar, BF16 as MLX rounds";
    }

    @Override
    public MatrixKernels matrix() {
        return new ScalarMatrix();
    }

    @Override
    public FloatProducts products(int threads) {
        return new Bf16Product();
    }

    @Override
    public RowKernels rows() {
        return new Bf16Rows();
    }

    @Override
    public AttentionKernels attention() {
        return new Bf16Scores();
    }

    @Override
    public IntKernels integer() {
        return new ScalarInt();
    }

    @Override
    public boolean rounds() {
        return true;
    }
}
