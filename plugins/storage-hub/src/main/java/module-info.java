/** Models from a hub that speaks the Hugging Face Hub protocol. */
module skulk.storage.hub {
    requires skulk.api;
    requires java.net.http;

    provides skulk.api.Plugin with
            skulk.storage.hub.HubPlugin;
}
