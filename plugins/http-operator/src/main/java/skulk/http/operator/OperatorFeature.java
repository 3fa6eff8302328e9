package skulk.http.operator;

import java.util.List;
import java.util.stream.Stream;
import skulk.api.Cluster;
import skulk.api.HttpFeature;
import skulk.api.PluginContext;
import skulk.api.http.Route;

/** All routes of the control plane (contract sections 1, 2, 8, 12, 13). */
final class OperatorFeature implements HttpFeature {
    private final List<Route> routes;

    OperatorFeature(List<Route> routes) {
        this.routes = List.copyOf(routes);
    }

    static OperatorFeature of(PluginContext context) {
        Cluster cluster = context.cluster();
        return new OperatorFeature(Stream.of(
                        new StateRoutes(cluster).routes(),
                        new NodeRoutes(cluster, context.workDirectory()).routes(),
                        new PlacementRoutes(cluster, PlacementRoutes.usual(context.settings())).routes(),
                        new ModelRoutes(cluster).routes(),
                        new DiagnosticsRoutes(cluster).routes(),
                        new TraceRoutes(cluster).routes(),
                        new ConfigRoutes(cluster).routes(),
                        new SessionRoutes().routes(),
                        new BrowseRoutes(BrowseRoutes.ROOTS).routes(),
                        new ApiRoutes(ApiDescription.builtIn()).routes())
                .flatMap(List::stream)
                .toList());
    }

    @Override
    public String name() {
        return "operator";
    }

    @Override
    public List<Route> routes() {
        return routes;
    }
}
