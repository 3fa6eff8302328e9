/** The plugin that docs/writing-a-plugin.md walks through: three routes of its own. */
module skulk.example {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.example.ExamplePlugin;
}
