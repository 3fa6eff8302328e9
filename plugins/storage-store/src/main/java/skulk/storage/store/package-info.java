/**
 * The model store of a local network (contract section 8.2): its server on the host, its clients everywhere else, the store's endpoints on every node.
 *
 * @see skulk.storage.store.Store
 */
package skulk.storage.store;
