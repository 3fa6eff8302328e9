/**
 * The extension points. {@link skulk.api.Extension} lists every kind there is; {@link skulk.api.Plugin} is what a module provides.
 *
 * @see skulk.api.Extension
 */
package skulk.api;
