/**
 * What can go wrong, as one exception with kinds; each kind has one HTTP status.
 *
 * @see skulk.api.problem.SkulkException
 */
package skulk.api.problem;
