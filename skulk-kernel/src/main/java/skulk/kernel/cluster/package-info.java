/**
 * The cluster's agreement: one pure {@link skulk.kernel.cluster.ClusterState#apply} over numbered events, kept by the coordinator's control log, and pure planning
 * of what this node has to do next.
 *
 * @see skulk.kernel.cluster.ClusterState
 */
package skulk.kernel.cluster;
