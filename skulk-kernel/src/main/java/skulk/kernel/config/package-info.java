/**
 * One configuration out of flags, environment, file and defaults: every key known, typed, explained.
 *
 * @see skulk.kernel.config.Keys
 */
package skulk.kernel.config;
