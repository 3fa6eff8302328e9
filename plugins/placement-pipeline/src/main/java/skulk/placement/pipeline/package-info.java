/**
 * The placement strategy {@code Pipeline}.
 *
 * @see skulk.placement.pipeline.PipelineLayout
 */
package skulk.placement.pipeline;
