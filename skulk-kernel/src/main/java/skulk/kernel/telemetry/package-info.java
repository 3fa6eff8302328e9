/**
 * Measurements: what the machine tells of itself, and counters, levels and histograms of everything that runs.
 *
 * @see skulk.kernel.telemetry.TelemetryBus
 */
package skulk.kernel.telemetry;
