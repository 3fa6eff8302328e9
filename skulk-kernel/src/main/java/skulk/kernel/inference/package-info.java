/**
 * Requests on their way to a rank and events on their way back; no log, no coordinator and no poll lies on that way.
 *
 * @see skulk.kernel.inference.Dispatcher
 */
package skulk.kernel.inference;
