/**
 * The OpenAI dialect: one class per endpoint, requests read by the {@code *Request} and {@code *Fields} classes, answers written by the {@code *Frames} and
 * {@code *Json} classes.
 *
 * @see skulk.http.openai.OpenAiFeature
 */
package skulk.http.openai;
