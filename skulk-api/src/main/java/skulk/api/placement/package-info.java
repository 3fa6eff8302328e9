/**
 * The arithmetic of placement, shared by strategies: rings, memory, context limits, speed and the wording of refusals. Pure functions of one
 * {@link skulk.api.cluster.ClusterView}.
 *
 * @see skulk.api.placement.Placing
 */
package skulk.api.placement;
