/** The control plane over HTTP: state, placement, diagnostics, traces, configuration, keys, and the description of the whole API. */
module skulk.http.operator {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.http.operator.OperatorPlugin;
}
