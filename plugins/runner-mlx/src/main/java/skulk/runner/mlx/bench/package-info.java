/**
 * {@code skulk bench}: measures this engine, or any server that speaks the OpenAI dialect.
 *
 * @see skulk.runner.mlx.bench.BenchTool
 */
package skulk.runner.mlx.bench;
