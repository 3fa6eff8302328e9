package skulk.runner.mlx.template;

/** A compiled statement. */
@FunctionalInterface
interface Step {
    /** How a statement ended. */
    enum Signal {
        NEXT,
        BREAK,
        CONTINUE
    }

    Signal run(Frame frame);
}
