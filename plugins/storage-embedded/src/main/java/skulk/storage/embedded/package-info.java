/**
 * The small chat model that ships with Skulk, so that a fresh machine without internet answers.
 *
 * @see skulk.storage.embedded.EmbeddedBackend
 */
package skulk.storage.embedded;
