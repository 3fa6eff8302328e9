/**
 * Models: their ids, cards and files.
 *
 * @see skulk.api.model.ModelCard
 */
package skulk.api.model;
