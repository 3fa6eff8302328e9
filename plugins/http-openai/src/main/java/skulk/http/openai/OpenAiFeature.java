package skulk.http.openai;

import java.util.List;
import skulk.api.HttpFeature;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;

/** The routes of the OpenAI dialect. */
record OpenAiFeature(
        ChatEndpoint chat,
        BenchEndpoint bench,
        CompletionEndpoint completions,
        ResponsesEndpoint responses,
        EmbeddingsEndpoint embeddings,
        ModelsEndpoint models)
        implements HttpFeature {
    @Override
    public String name() {
        return "openai";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/v1/chat/completions", Scope.INFER, chat::handle),
                new Route("POST", "/bench/chat/completions", Scope.INFER, bench::handle),
                new Route("POST", "/v1/completions", Scope.INFER, completions::handle),
                new Route("POST", "/v1/responses", Scope.INFER, responses::create),
                new Route("GET", "/v1/responses/{id}", Scope.INFER, responses::get),
                new Route("DELETE", "/v1/responses/{id}", Scope.INFER, responses::delete),
                new Route("POST", "/v1/embeddings", Scope.INFER, embeddings::handle),
                new Route("GET", "/v1/models", Scope.INFER, models::list),
                new Route("GET", "/models", Scope.INFER, models::list),
                new Route("GET", "/v1/models/{id+}", Scope.INFER, models::get));
    }

    @Override
    public Response error(Problem problem) {
        return Failures.refused(problem);
    }
}
