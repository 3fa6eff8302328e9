/** Speaks the Claude dialect: messages and token counting. */
module skulk.http.claude {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.http.claude.ClaudePlugin;
}
