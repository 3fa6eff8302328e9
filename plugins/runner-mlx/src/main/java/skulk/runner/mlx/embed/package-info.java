/**
 * Embeddings: texts become vectors of unit length, by encoders of the bert family or by the hidden states of decoders.
 *
 * @see skulk.runner.mlx.embed.Embedder
 */
package skulk.runner.mlx.embed;
