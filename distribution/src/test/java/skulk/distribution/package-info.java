/**
 * Tests of the packaged program as processes.
 *
 * @see skulk.distribution.SkulkProcess
 */
package skulk.distribution;
