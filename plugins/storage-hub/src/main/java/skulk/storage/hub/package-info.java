/**
 * Models from a hub that speaks the Hugging Face Hub protocol: listing, ranged reads, search.
 *
 * @see skulk.storage.hub.HubBackend
 */
package skulk.storage.hub;
