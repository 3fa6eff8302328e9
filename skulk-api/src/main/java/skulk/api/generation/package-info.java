/**
 * Requests and what comes back: where all wire dialects meet.
 *
 * @see skulk.api.generation.GenerationRequest
 */
package skulk.api.generation;
