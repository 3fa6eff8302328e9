package skulk.runner.mlx.template;

/** A compiled expression. */
@FunctionalInterface
interface Code {
    Object eval(Frame frame);
}
