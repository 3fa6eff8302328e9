/**
 * Models that lie in folders of this machine, loaded where they are.
 *
 * @see skulk.storage.directory.DirectoryBackend
 */
package skulk.storage.directory;
