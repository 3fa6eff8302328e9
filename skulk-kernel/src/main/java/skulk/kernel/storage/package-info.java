/**
 * Models on this node's disk: staging them from the sources that plugins offer, keeping them, evicting them.
 *
 * @see skulk.kernel.storage.StorageService
 */
package skulk.kernel.storage;
