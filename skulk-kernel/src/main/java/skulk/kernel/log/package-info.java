/**
 * Logging: a human log on stderr and in a file, JSON lines on stdout when enabled.
 *
 * @see skulk.kernel.log.Logs
 */
package skulk.kernel.log;
