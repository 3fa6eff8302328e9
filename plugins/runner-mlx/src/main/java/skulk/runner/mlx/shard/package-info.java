/**
 * One model over several rank processes: what the ranks say to each other, and the ranks that follow rank 0.
 *
 * @see skulk.runner.mlx.shard.RankGroup
 */
package skulk.runner.mlx.shard;
