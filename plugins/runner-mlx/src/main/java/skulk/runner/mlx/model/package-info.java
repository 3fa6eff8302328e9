/**
 * Decoders: a checkpoint folder becomes a {@code Decoder} that turns ragged batches of tokens into logits over a paged KV cache.
 *
 * @see skulk.runner.mlx.model.Decoder
 */
package skulk.runner.mlx.model;
