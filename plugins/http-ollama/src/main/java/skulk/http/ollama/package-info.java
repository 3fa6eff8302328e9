/**
 * The Ollama dialect, under {@code /ollama/api} as the contract has it and under {@code /api} where stock clients look.
 *
 * @see skulk.http.ollama.OllamaFeature
 */
package skulk.http.ollama;
