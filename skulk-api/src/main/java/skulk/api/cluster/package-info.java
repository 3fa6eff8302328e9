/**
 * The replicated state of a cluster as immutable values. Names and shapes are those of the wire contract, so that
 * {@link skulk.api.json.Records} writes {@code GET /state} from them.
 *
 * @see skulk.api.cluster.ClusterView
 */
package skulk.api.cluster;
