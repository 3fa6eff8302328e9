/**
 * What both halves of the kernel share: where a node lives, and the seam between the plugin and HTTP half and the cluster half.
 *
 * @see skulk.kernel.node.NodeContext
 */
package skulk.kernel.node;
