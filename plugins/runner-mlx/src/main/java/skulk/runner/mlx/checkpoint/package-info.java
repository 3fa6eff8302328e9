/**
 * Reads checkpoint folders: configuration, safetensors, quantisation.
 *
 * @see skulk.runner.mlx.checkpoint.CheckpointException
 */
package skulk.runner.mlx.checkpoint;
