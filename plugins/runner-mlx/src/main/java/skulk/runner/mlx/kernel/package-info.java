/**
 * Arithmetic: weight matrices in tiles, and the kernels over them in two forms, scalar and vector.
 *
 * @see skulk.runner.mlx.kernel.Backend
 */
package skulk.runner.mlx.kernel;
