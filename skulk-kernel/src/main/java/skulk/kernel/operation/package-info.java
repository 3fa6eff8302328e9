/**
 * What plugins may ask of the cluster and the node, each operation carried out by a small class of its kind.
 *
 * @see skulk.kernel.operation.Operations
 */
package skulk.kernel.operation;
