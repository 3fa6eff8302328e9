/**
 * Embeddings: texts become vectors of unit length, by encoders of the bert family.
 *
 * @see skulk.runner.mlx.embed.Embedder
 */
package skulk.runner.mlx.embed;
