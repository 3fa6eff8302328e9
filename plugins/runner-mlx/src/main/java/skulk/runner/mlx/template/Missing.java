package skulk.runner.mlx.template;

/** Stands for "no value at all", where {@code null} already means None. */
enum Missing {
    MISSING
}
