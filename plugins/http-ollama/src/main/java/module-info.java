/** Speaks the Ollama dialect: chat, generate, embed and the catalog. */
module skulk.http.ollama {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.http.ollama.OllamaPlugin;
}
