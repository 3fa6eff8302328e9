/** Models that lie in folders of this machine. */
module skulk.storage.directory {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.storage.directory.DirectoryPlugin;
}
