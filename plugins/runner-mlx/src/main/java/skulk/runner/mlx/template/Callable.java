package skulk.runner.mlx.template;

/** Anything a template can call: functions, methods, macros, filters and tests. */
@FunctionalInterface
interface Callable {
    Object call(Render render, Args args);
}
