/**
 * Readings that never block serving.
 *
 * @see skulk.api.telemetry.Reading
 */
package skulk.api.telemetry;
