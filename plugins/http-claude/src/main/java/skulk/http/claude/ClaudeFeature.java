package skulk.http.claude;

import java.util.List;
import skulk.api.HttpFeature;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;

/** The routes of the Claude dialect. */
record ClaudeFeature(MessagesEndpoint messages) implements HttpFeature {
    @Override
    public String name() {
        return "claude";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/v1/messages", Scope.INFER, messages::create),
                new Route("POST", "/v1/messages/count_tokens", Scope.INFER, messages::countTokens));
    }

    @Override
    public Response error(Problem problem) {
        return Failures.refused(problem);
    }
}
