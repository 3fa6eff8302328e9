/** The model store of a local network: its server on the host, its clients everywhere else. */
module skulk.storage.store {
    requires skulk.api;
    requires jdk.httpserver;

    provides skulk.api.Plugin with
            skulk.storage.store.StorePlugin;
}
