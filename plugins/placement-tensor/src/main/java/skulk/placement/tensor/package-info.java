/**
 * The placement strategy {@code Tensor}.
 *
 * @see skulk.placement.tensor.TensorLayout
 */
package skulk.placement.tensor;
