/**
 * Continuous batching: which tokens of which sequences run in the next step, and what becomes of the result.
 *
 * @see skulk.runner.mlx.schedule.Scheduler
 */
package skulk.runner.mlx.schedule;
