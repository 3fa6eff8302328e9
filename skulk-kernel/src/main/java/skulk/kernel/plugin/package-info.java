/**
 * Plugins: descriptor checks before any class is loaded, one module layer per plugin, their life cycle, and the registry of what they offer.
 *
 * @see skulk.kernel.plugin.Plugins
 */
package skulk.kernel.plugin;
