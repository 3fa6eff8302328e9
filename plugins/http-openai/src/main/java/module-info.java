/** Speaks the OpenAI dialect: chat completions, completions, responses, embeddings, models. */
module skulk.http.openai {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.http.openai.OpenAiPlugin;
}
