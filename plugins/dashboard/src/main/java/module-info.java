/** The dashboard: static pages and ES modules over the node's own API. */
module skulk.dashboard {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.dashboard.DashboardPlugin;
}
