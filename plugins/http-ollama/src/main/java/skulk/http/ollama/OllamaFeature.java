package skulk.http.ollama;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import skulk.api.HttpFeature;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;

/**
 * The routes of the Ollama dialect under some prefixes.
 *
 * @param prefixes of the same routes; clients add {@code /api} or {@code /v1} to whatever base they are given
 * @param greetings paths that answer a client's question whether a server is there
 * @param errors the shape of errors
 */
record OllamaFeature(
        String name,
        List<String> prefixes,
        List<String> greetings,
        Function<Problem, Response> errors,
        AskEndpoint ask,
        EmbedEndpoint embeddings,
        CatalogEndpoint catalog)
        implements HttpFeature {
    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String prefix : prefixes) {
            routes.add(new Route("POST", prefix + "/chat", Scope.INFER, ask::chat));
            routes.add(new Route("POST", prefix + "/generate", Scope.INFER, ask::generate));
            routes.add(new Route("POST", prefix + "/embed", Scope.INFER, embeddings::embed));
            routes.add(new Route("POST", prefix + "/embeddings", Scope.INFER, embeddings::embedOne));
            routes.add(new Route("POST", prefix + "/show", Scope.INFER, catalog::show));
            routes.add(new Route("GET", prefix + "/ps", Scope.INFER, catalog::running));
            for (String method : List.of("GET", "HEAD")) {
                routes.add(new Route(method, prefix + "/tags", Scope.INFER, catalog::tags));
                routes.add(new Route(method, prefix + "/version", Scope.OPEN, catalog::version));
            }
        }
        for (String greeting : greetings) {
            routes.add(new Route("HEAD", greeting, Scope.OPEN, catalog::here));
            routes.add(new Route("GET", greeting, Scope.OPEN, catalog::here));
        }
        return routes;
    }

    @Override
    public Response error(Problem problem) {
        return errors.apply(problem);
    }
}
