package skulk.runner.mlx.kernel;

/** Products without rounded activations. */
interface FloatProducts {
    /**
     * Computes tiles {@code from..to} of a product.
     *
     * @param from a multiple of {@link FloatProduct#TILES}
     * @param worker which thread's scratch to use
     */
    void compute(Product.Unit unit, int from, int to, int worker);
}
