/**
 * From logits to a token: penalties, bias, grammar mask, truncation, draw; and log probabilities.
 *
 * @see skulk.runner.mlx.sample.Sampler
 */
package skulk.runner.mlx.sample;
