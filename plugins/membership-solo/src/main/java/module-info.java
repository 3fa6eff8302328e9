/** A cluster of one machine: no ports opened. */
module skulk.membership.solo {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.membership.solo.SoloPlugin;
}
