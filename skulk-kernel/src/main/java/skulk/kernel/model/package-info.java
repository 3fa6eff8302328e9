/**
 * Model cards: the built-in ones, those users added, and those derived from a checkpoint's own files.
 *
 * @see skulk.kernel.model.Catalog
 */
package skulk.kernel.model;
