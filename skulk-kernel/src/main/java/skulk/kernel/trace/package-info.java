/**
 * Traces of single requests, kept as files while tracing is on.
 *
 * @see skulk.kernel.trace.TraceStore
 */
package skulk.kernel.trace;
