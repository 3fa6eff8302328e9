/** A runner that plays scripts, for tests of clients. */
module test.scripted {
    requires skulk.api;

    provides skulk.api.Plugin with
            test.scripted.ScriptedPlugin;
}
