/** The small chat model that ships with Skulk. */
module skulk.storage.embedded {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.storage.embedded.EmbeddedPlugin;
}
