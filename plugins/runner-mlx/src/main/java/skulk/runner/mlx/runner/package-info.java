/**
 * The plugin itself: loads checkpoints into rank processes, serves requests, and offers the {@code model} tool.
 *
 * @see skulk.runner.mlx.runner.MlxPlugin
 */
package skulk.runner.mlx.runner;
