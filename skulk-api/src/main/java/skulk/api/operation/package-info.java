/**
 * What can be asked of the cluster and of the node.
 *
 * @see skulk.api.operation.Operation
 */
package skulk.api.operation;
