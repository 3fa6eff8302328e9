/**
 * The program: command line, and the node as the composition root of everything else.
 *
 * @see skulk.kernel.Node
 */
package skulk.kernel;
