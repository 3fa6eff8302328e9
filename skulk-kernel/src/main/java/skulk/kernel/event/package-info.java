/**
 * The log of events on disk, which backs {@code GET /events} and nothing else.
 *
 * @see skulk.kernel.event.EventLog
 */
package skulk.kernel.event;
